"""Judge a model by its own rollouts: `oysterd evaluate MODEL`, or `python -m model.training.evaluation MODEL`.

Nothing here asks the model what it meant: pictures are read by optical flow and by a small network that was trained on
the diorama alone, sound by the levels of its bands. Every judge is tried on diorama clips it never saw, and its own
accuracy stands beside the figure it gives. `measures.py` has the table of measures, docs/nacre.md their method.
"""
