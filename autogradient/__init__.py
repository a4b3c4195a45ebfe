"""A deep-learning course that grades itself."""

import sys

__version__ = "0.1.0"

# jsonschema can check addresses with letters of all languages: it would compile a grammar of them
# whenever it is imported, a second long. It goes without.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
