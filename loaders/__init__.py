"""Datasets expressed with mmbench, one file per dataset family; configurations reach them through `_target_`."""
