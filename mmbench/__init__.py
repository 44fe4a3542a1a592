"""Benchmark suite for multilingual multimodal and speech models: per-language scores with honest error bars."""

__version__ = "0.1.0"
