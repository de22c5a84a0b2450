"""The demo: stories played against the sandbox, with a moved clock. The scenario tests play the same ones."""
