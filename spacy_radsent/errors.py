"""Errors that a user can act on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

# Columns with the report, as hospitals name them, and others. None can be a report's text or a patient's name.
TEXT_HEADER = re.compile("(読影|画像|検査|診断)?所見(文|本文)?|(読影)?(報告書?|レポート)(本文)?|本文|テキスト")
HEADER = re.compile(
    "(画像|読影|臨床)?診断(名)?|病名|結論|印象|要約|備考|臨床情報|検査(目的|種別|名|部位|項目)|依頼(目的|科|医)"
    "|(撮影)?部位|モダリティ|コメント|(検査|患者|依頼|受付|報告書|レポート|オーダー?)?(番号|ID)|患者(名|氏名)|氏名"
    "|(検査|依頼|報告|読影)(日|日時)|日付|日時|生年月日|年齢|性別|読影医|診療科|施設(名)?|病院(名)?|医療機関|病棟"
)


class RadsentError(ValueError):
    """Bad input, told in one sentence that names the value and the fix. Commands print it and exit with 1."""


def shown(value: str) -> str:
    """RETURNS (str): A name or code to show in an error, or only its length where it may be a report's text."""
    known = (value.isascii() and len(value) <= 32) or TEXT_HEADER.fullmatch(value) or HEADER.fullmatch(value)
    return repr(value) if known else f"a text of {len(value)} characters"


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Say which extra of the package to install where an import inside fails.

    extra (str): Its name in pyproject.toml.
    """
    try:
        yield
    except ImportError as error:
        # transformers does not always tell
        name = error.name.partition(".")[0] if error.name else "A package of the encoder's tokenizer"
        raise RadsentError(f'{name} is not installed: pip install "spacy-radsent[{extra}]".') from error
