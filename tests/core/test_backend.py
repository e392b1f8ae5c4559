"""How TensorFlow and Keras come up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_command_imports_keras_without_what_it_takes_along_for_data_frames(samples: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from genrun.cli import main; sys.argv = ['genrun', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "assert 'keras' in sys.modules and not {'sklearn', 'pandas'} & set(sys.modules)\n"
        "import pandas, sklearn.linear_model  # which can be imported all the same"
    )
    options = ["--set", "epochs=1", "--set", "hidden_size=8", "--no-texts", "-o", str(tmp_path / "run")]
    command = [sys.executable, "-c", code, "train", str(samples / "racetrack.txt"), *options]
    subprocess.run(command, check=True, capture_output=True)
