"""The difference of two images: pure, and bounded, as the text may be hostile."""

from approvals.diffs.fields import ALARM_RATIO, between, changed_paths, plain, three_way
from approvals.diffs.glyphs import hidden_count, mixed_words
from approvals.diffs.layout import laid_out, parts_in, parts_of
from approvals.diffs.lines import line_marks, matches, word_marks
from approvals.diffs.pairing import lines_of, paired
from approvals.diffs.records import apply, compose, record_changes
from approvals.diffs.sizing import changed_chars
from approvals.diffs.tabling import records_in, tabled

__all__ = [
    "ALARM_RATIO",
    "apply",
    "between",
    "changed_chars",
    "changed_paths",
    "compose",
    "hidden_count",
    "laid_out",
    "line_marks",
    "lines_of",
    "matches",
    "mixed_words",
    "paired",
    "parts_in",
    "parts_of",
    "plain",
    "record_changes",
    "records_in",
    "tabled",
    "three_way",
    "word_marks",
]
