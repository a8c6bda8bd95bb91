"""Bytes made to break parsers: nothing but our own errors, in bounded memory and time, and no wrong result."""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from .conftest import SEED, Extent
from .parsers import ANY, BETWEEN, PARSERS

MEGABYTES = 1024
"""Of address space besides what is there when it begins."""
SECONDS = 10
"""For one input of 64 KB."""

PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            b"\x00" * 8,
            b"\xff" * 9,
            b"\xdb\xff\xff\xff\xff",
            b"\xdd\x7f\xff\xff\xff",
            b"[" * 300,
            b'{"a":' * 200,
            BETWEEN,
            b"\xc1",
        ]
    ),
    st.sampled_from(
        [
            b'"cells"',
            b'"id"',
            b'"source"',
            b"null",
            b"1e999",
            b'"\\ud800"',
            b"../",
            b"\\x2f",
            b"@",
            b":",
            b"-1",
        ]
    ),
)


@st.composite
def altered(draw: st.DrawFn, name: str) -> bytes:
    """Bytes that a parser understands, with some parts replaced, doubled or left out; or anything at all."""
    data = draw(st.one_of(st.sampled_from(PARSERS[name].seeds), st.binary(max_size=200)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        data = data[:start] + draw(st.one_of(PIECES, st.just(data[start:end] * 2))) + data[end:]
    return data


@pytest.mark.parametrize("name", PARSERS)
def test_altered_input(name: str, extent: Extent) -> None:
    check = PARSERS[name].check
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + (MEGABYTES << 20), hard))

    @seed(extent.seed)
    @settings(max_examples=extent.runs(150, 5000), database=None)
    @given(altered(name))
    def examples(data: bytes) -> None:
        check(data)

    try:
        examples()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this platform"
)
def test_guided_input(tmp_path: Path, extent: Extent) -> None:
    """With libFuzzer, which keeps what reaches new code."""
    for name in PARSERS if extent.long else ("any",):
        folder = tmp_path / name
        folder.mkdir()
        fuzz(name, folder, extent)


def fuzz(name: str, tmp_path: Path, extent: Extent) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, data in enumerate(PARSERS[name].seeds if name in PARSERS else ANY.seeds):
        (corpus / f"{number}").write_bytes(data)
    runs = extent.runs(3_000, 200_000)
    done = subprocess.run(
        [
            sys.executable, Path(__file__).with_name("fuzz.py"), name, f"-runs={runs}", f"-seed={extent.seed % 2**31 or SEED}",
            f"-rss_limit_mb={MEGABYTES}", f"-timeout={SECONDS}", "-max_len=65536", f"-artifact_prefix={tmp_path}/", corpus,
        ],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=1800,
    )  # fmt: skip
    bad = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert (done.returncode, bad) == (0, {}), done.stderr[-5000:]
    print(f"fuzz: {name}: {runs} runs, {len(list(corpus.iterdir()))} inputs kept, seed {extent.seed}")
