"""Run one training on several machines of a Ray cluster: each worker gets TF_CONFIG, and runs the same command.

python train_on_ray.py --workers 2 -- genrun train /shared/corpus.txt --set devices=all -o /shared/runs/large
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys


class Worker:
    """A worker of the training, on a machine that Ray chose."""

    def address(self) -> str:
        """Return the address of this machine, with a port that is free."""
        import ray

        with socket.socket() as free:
            free.bind(("", 0))
            return f"{ray.util.get_node_ip_address()}:{free.getsockname()[1]}"

    def run(self, command: list[str], addresses: list[str], index: int) -> tuple[int, str]:
        """Run the command as worker ``index``; return its exit status, and what it printed."""
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.returncode, done.stdout


def main() -> int:
    """Run the command on all workers; return the highest exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cpus", type=float, default=1, help="that Ray reserves for each worker")
    parser.add_argument("--gpus", type=float, default=0, help="that Ray reserves for each worker")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    import ray

    ray.init(log_to_driver=False)
    bundle = {"CPU": arguments.cpus, **({"GPU": arguments.gpus} if arguments.gpus else {})}
    group = ray.util.placement_group([bundle] * arguments.workers, strategy="SPREAD")  # all at once, or none
    ray.get(group.ready())
    strategy = ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
    workers = [
        ray.remote(Worker)
        .options(num_cpus=arguments.cpus, num_gpus=arguments.gpus, scheduling_strategy=strategy(group, index))
        .remote()
        for index in range(arguments.workers)
    ]
    addresses = ray.get([worker.address.remote() for worker in workers])
    runs = [worker.run.remote(arguments.command, addresses, index) for index, worker in enumerate(workers)]
    results = ray.get(runs)
    for index, (status, printed) in enumerate(results):
        print(f"== worker {index}, exit status {status}\n{printed}", end="")
    return max(status for status, _ in results)


if __name__ == "__main__":
    sys.exit(main())
