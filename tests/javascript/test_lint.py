"""The linter of the scripts finds what it is there for, at its place, and knows that scripts share their names."""

import pytest

from tests.javascript.lint import findings, programs, sources

SHARED = "function figure(number) {\n  return String(number);\n}\n"
VIEW = "function draw(root, data) {\n  root.append(figure(data));\n}\n"
MOUNT = "export default draw;\n"


def faults(view: str, shared: str = SHARED) -> list[str]:
    """Faults in one page of a shared script and a view's."""
    return [
        str(finding) for finding in findings({"page": shared + view + MOUNT}, {"shared.js": shared, "view.js": view})
    ]


def test_names_of_the_shared_script_are_known() -> None:
    assert faults(VIEW) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("missing(1);", "'missing' is not defined."),
        ("total = 1;", "'total' is not defined."),
        ("name.trim();", "'name' is not defined."),
        ("function figure(other) {\n  return other;\n}", "Identifier `figure` has already been declared"),
        ("const unused = 1;", "Variable 'unused' is declared but never used."),
        ("document.body.innerHTML = window.name;", "innerHTML"),
        ("const const = 1;", "Identifier expected"),
    ],
)
def test_faults_are_found_at_their_place(line: str, message: str) -> None:
    (fault,) = faults(f"{VIEW}{line}\n")
    place, _, text = fault.partition(": ")
    assert message in text
    assert place.startswith("shared.js:1:" if "already" in message else "view.js:4:")


def test_a_shared_function_is_unused_only_if_no_page_uses_it() -> None:
    idle = "function draw(root) {\n  root.remove();\n}\n"
    texts = {"shared.js": SHARED, "view.js": VIEW, "idle.js": idle}
    page, other = SHARED + VIEW + MOUNT, SHARED + idle + MOUNT
    assert findings({"page": page, "other": other}, texts) == []
    (fault,) = findings({"other": other}, {"shared.js": SHARED, "idle.js": idle})
    assert str(fault).startswith("shared.js:1:10: Function 'figure' is declared but never used.")


def test_every_script_is_in_a_program() -> None:
    with pytest.raises(ValueError, match=r"orphan\.js"):
        findings({"page": VIEW}, {"view.js": VIEW, "orphan.js": "const orphan = 1;\n"})
    texts = programs()
    for path, text in sources().items():
        assert any(text in program for program in texts.values()), path
