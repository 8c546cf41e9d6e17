"""What work costs: its units, an encoder's arithmetic, and how fast this machine is."""
