"""Encoders: timm's models, made right for small images."""
