"""Methods that assign images to prototypes or clusters: SwAV, online clustering after Ghesu et al., DeepCluster."""
