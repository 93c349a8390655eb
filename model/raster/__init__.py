"""The view of a running world on a CPU: the same picture as `model.view` gives, by kernels that go through it once.

The networks, their weights and what they are told are the view's; here stand only the walks over rays, points and
pixels between them, which PyTorch makes one operation, and one pass through memory, at a time.
"""
