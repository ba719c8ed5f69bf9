# The loop of a PyTorch worker for bench/worker.js: a line with a number on stdin requests that many steps.

import json
import resource
import sys
import time

import torch


def serve(step):
    """Answers with the milliseconds and the loss of each step, forever; `step` makes one and returns its loss."""
    for line in sys.stdin:
        made = []
        for _ in range(int(line)):
            start = time.perf_counter()
            loss = step()
            made.append({"ms": (time.perf_counter() - start) * 1000, "loss": loss})
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        about = {"version": torch.__version__, "threads": torch.get_num_threads()}
        print(json.dumps({"steps": made, "peakMB": peak, **about}), flush=True)
