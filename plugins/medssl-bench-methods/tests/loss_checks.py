"""Random vectors, and a loss compared with an independent one: the values, and the gradients."""

import torch
import torch.nn.functional as F


def vectors(*shape, seed=0, dtype=torch.float32):
    """Return random vectors of length 1, with a gradient."""
    numbers = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(shape, generator=numbers, dtype=dtype), dim=-1).requires_grad_()


def assert_same_with_gradients(ours, theirs, inputs, rtol=1e-5):
    torch.testing.assert_close(ours, theirs, rtol=rtol, atol=1e-6, check_dtype=False)
    for mine, other in zip(torch.autograd.grad(ours, inputs), torch.autograd.grad(theirs, inputs), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)
