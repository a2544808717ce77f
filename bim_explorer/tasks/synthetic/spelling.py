"""Read sentences from the formant synthesiser, as FLAC and transcripts in LibriSpeech's layout.

Every letter has one phone, so what is heard spells what is written: far easier than English.
"""

from __future__ import annotations

from pathlib import Path

import soundfile

from bim_explorer.core.seeding import generator
from bim_explorer.tasks.synthetic.cache import cached_set
from bim_explorer.tasks.synthetic.formants import RATE, SPEAKERS, utter

PROVENANCE = "Synthetic: sentences of random words from a formant synthesiser, no human voice."
SENTENCES = 14
WORDS = (
    *("A", "AT", "EASE", "FAR", "FEW", "FIVE", "FOR", "IN", "IS", "IT", "NEAR", "NINE", "NO"),
    *("NOT", "NOW", "OF", "ON", "OR", "OUR", "OVER", "RAIN", "RIVER", "ROSE", "SEA", "SEVEN"),
    *("SEW", "STAR", "STONE", "SUN", "TO", "TREE", "TWO", "WAR", "WAVE", "WE", "WEST", "WIN"),
)
PHONE_OF = dict(zip("AEIOURWNVSFT ", "aeiourwnvsft.", strict=True))
_COUNT = (3, 7)


def read_sentences() -> Path:
    """The folder of the default set, made when it is first asked for."""
    return cached_set("formant-sentences-1", lambda folder: write_sentences(folder, 0))


def write_sentences(folder: Path, seed: int, sentences: int = SENTENCES) -> None:
    """Write so many sentences by each speaker into a folder, a chapter a speaker."""
    for number, speaker in enumerate(SPEAKERS, start=1):
        chapter = folder / "LibriSpeech" / "synthetic" / str(number) / "1"
        chapter.mkdir(parents=True, exist_ok=True)
        lines = []
        for take in range(sentences):
            name = f"{number}-1-{take:04d}"
            rng = generator(seed, name)
            text = " ".join(rng.choice(WORDS, rng.integers(*_COUNT)))
            sound = utter("".join(PHONE_OF[letter] for letter in text), speaker, rng)
            soundfile.write(chapter / f"{name}.flac", sound, RATE, subtype="PCM_16")
            lines.append(f"{name} {text}\n")
        transcript = chapter / f"{number}-1.trans.txt"
        transcript.write_text("".join(lines), "utf-8")
