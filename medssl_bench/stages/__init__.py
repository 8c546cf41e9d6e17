"""What each kind of stage does: pretrain, embed, evaluate, analyse."""
