"""The examples of a training on several machines give each worker its TF_CONFIG."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

PRINTS = "import json, os; print(json.dumps(json.loads(os.environ['TF_CONFIG'])))"


def test_the_script_for_ray_runs_the_command_on_each_worker(repository: Path) -> None:
    script = repository / "examples" / "cluster" / "train_on_ray.py"
    command = [sys.executable, str(script), "--workers", "2", "--cpus", "0.5", "--", sys.executable, "-c", PRINTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[::2] == ["== worker 0, exit status 0", "== worker 1, exit status 0"]
    first, second = (json.loads(line) for line in lines[1::2])
    assert first["cluster"] == second["cluster"]
    assert len(set(first["cluster"]["worker"])) == 2
    assert [each["task"] for each in (first, second)] == [{"type": "worker", "index": i} for i in range(2)]


def test_the_job_for_kubernetes_gives_each_pod_its_place(repository: Path, tmp_path: Path) -> None:
    service, job = yaml.safe_load_all((repository / "examples" / "cluster" / "kubernetes.yaml").read_text())
    spec = job["spec"]
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    assert service["metadata"]["name"] == pod["subdomain"]
    assert service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}
    assert spec["completions"] == spec["parallelism"] == int(container["env"][0]["value"])
    (tmp_path / "genrun").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{PRINTS}"\n')
    (tmp_path / "genrun").chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "WORKERS": "2", "JOB_COMPLETION_INDEX": "1"}
    done = subprocess.run(
        [*container["command"], *container["args"]], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {
        "cluster": {"worker": ["train-0.train:12345", "train-1.train:12345"]},
        "task": {"type": "worker", "index": 1},
    }
