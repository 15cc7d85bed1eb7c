"""The page that checks evidence from disk: what its policy lets run, whatever opens it."""

import base64
import re
from hashlib import sha256

from audit.verifier import onefile

PAGE = onefile.verify_html()


def only(tag: str) -> str:
    (found,) = re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
    return str(found)


def source(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


class TestThePage:
    def test_lets_its_own_script_and_style_run_and_nothing_else(self) -> None:
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', PAGE)
        assert policy.split("; ") == [
            "default-src 'none'",
            f"script-src {source(only('script'))}",
            f"style-src {source(only('style'))}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]

    def test_reaches_for_nothing(self) -> None:
        assert not re.findall(r"https?:|//[a-z]|\bsrc=|\bhref=|import\(|fetch\(|XMLHttp", PAGE)

    def test_makes_no_markup_out_of_text(self) -> None:
        script = only("script")
        for way in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "style."):
            assert way not in script
