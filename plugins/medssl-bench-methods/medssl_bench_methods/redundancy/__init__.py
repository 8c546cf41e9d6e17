"""Methods that make the components of a representation vary and not repeat each other: Barlow Twins, VICReg."""
