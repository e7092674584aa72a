"""Training code of one's own, in a process of one's own: an objective, or a loop.

optimize     calls an objective with one trial after another         params are asked for while it runs
trials       gives one trial after another to a loop                 params come with the trial
    |
offers       leases, until the study has ended
held         a lease: renewed beside the training, told once
outcomes     what an exception makes of the trial
"""
