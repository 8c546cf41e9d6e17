"""Methods that tell an image from others: MoCo, NNCLR, instance discrimination, SimCLRv2, ReLIC."""
