"""Wrappers: one file for each kind of model, all with `generate` and, where they can, `loglikelihood`.

Heavy libraries are imported where a model is loaded, never when a module is imported.
"""
