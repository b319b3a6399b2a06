"""The examples of docs/api.md, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.needs import needed
from tests.web.api.room import desk

PAGE = Path(__file__).parents[3] / "docs/api.md"


def test_the_examples_work_one_after_the_other(tmp_path: Path) -> None:
    needed(shutil.which("curl"), "curl")
    examples = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) > 5
    newsroom = desk(tmp_path)
    with newsroom.served(failures=0) as url:
        variables = {**os.environ, "API": f"{url}/api/v1", "TOKEN": newsroom.token()}
        for example in examples:
            done = subprocess.run(
                ["bash", "-euc", example],
                cwd=tmp_path,
                env=variables,
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            assert done.returncode == 0, f"{example}\n{done.stdout}{done.stderr}"
