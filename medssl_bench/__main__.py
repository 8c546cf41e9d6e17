"""``python -m medssl_bench``."""

from medssl_bench.cli import main

main()
