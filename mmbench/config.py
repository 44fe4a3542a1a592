"""The border to Hydra: where configs are, and how a composed config becomes plain objects.

Nothing past `build` knows that Hydra exists; everything after it can be called from a notebook.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmbench.errors import MmbenchError, UsageError

PREFIXES = ("mmbench", "loaders")
"""Packages whose classes a `_target_` may name without being asked."""


def conf_dir() -> Path:
    """Folder of the shipped configs: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def name_folders(cell_name: Callable[..., str]) -> None:
    """Let conf/config.yaml say `${cell_name:...}`."""

    def named(*values: Any) -> str:
        plain = [OmegaConf.to_container(v, resolve=True) if OmegaConf.is_config(v) else v for v in values]
        return str(cell_name(*plain))

    OmegaConf.register_new_resolver("cell_name", named, replace=True)


def names(group: str) -> list[str]:
    """Names of the configs of a group such as "model"."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def compose(overrides: Sequence[str], *, name: str = "config") -> Any:
    """Compose a config: another one within a run, or one outside a Hydra application, as tests and notebooks do.

    Raises:
        UsageError: an override is wrong.
    """
    try:
        if GlobalHydra.instance().is_initialized():  # inside a run, whose --config-dir counts too
            return hydra.compose(name, overrides=list(overrides))
        with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return hydra.compose(name, overrides=list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise UsageError(one_line(error)) from error


def load(group: str, name: str, settings: Mapping[str, Any] | None = None) -> Any:
    """Build one object from a config of a group, with settings replaced.

    Raises:
        UsageError: there is no such config, no such setting, or a value is of another type than the setting.
    """
    if name not in names(group):
        raise UsageError(unknown(group, name, names(group)))
    node = compose([f"+{group}={name}"], name="empty")[group]
    plain = resolve(node)
    check_targets(plain, PREFIXES, "")
    made = hydra.utils.get_object(plain["_target_"])
    known = [setting.name for setting in fields(made) if setting.init]
    for key, value in (settings or {}).items():
        if key not in known:
            raise UsageError(f"{group} {name} has no setting {key}; it has {', '.join(known)}")
        _check_type(made, key, value, f"{group} {name}")
        plain[key] = value
    return build(plain)


_TYPES: Mapping[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "text"),
    type(None): ((type(None),), "null"),
}


def _check_type(made: type, key: str, value: Any, where: str) -> None:
    """Refuse a value from a command line that is of another simple type than the setting."""
    try:
        kind = get_type_hints(made)[key]
    except NameError:  # a type that is imported for checkers alone
        return
    given = get_args(kind) if isinstance(kind, UnionType) or get_origin(kind) is Union else (kind,)
    kinds = [str if get_origin(each) is Literal else each for each in given]
    if not all(each in _TYPES for each in kinds):
        return
    if not any(isinstance(value, _TYPES[each][0]) and isinstance(value, bool) == (each is bool) for each in kinds):
        wanted = " or ".join(_TYPES[each][1] for each in kinds)
        raise UsageError(f"{where}: {key}={value!r} must be {wanted}")


def resolve(node: Any) -> Any:
    """A config node as plain data, every reference in it resolved.

    Raises:
        UsageError: a value is missing or a reference leads nowhere.
    """
    try:
        return OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise UsageError(one_line(error)) from error


def build(plain: Any, *, allow: Sequence[str] = ()) -> Any:
    """Make the objects that a plain config describes.

    Args:
        plain: nested mappings with `_target_` keys, references already resolved.
        allow: import prefixes that the user trusts, besides mmbench and loaders.

    Raises:
        UsageError: a target is not allowed, does not exist, or refuses its arguments.
    """
    check_targets(plain, (*PREFIXES, *allow), "")
    return _make(plain, "the config")


def _make(plain: Any, where: str) -> Any:
    """Objects for plain data, from the leaves up.

    Not Hydra's instantiate: that resolves references a second time, after the targets were checked.
    """
    if isinstance(plain, list | tuple):
        return [_make(value, f"{where}[{index}]") for index, value in enumerate(plain)]
    if not isinstance(plain, Mapping):
        return plain
    made = {str(key): _make(value, str(key)) for key, value in plain.items() if key != "_target_"}
    if "_target_" not in plain:
        return made
    try:
        return hydra.utils.get_object(plain["_target_"])(**made)
    except MmbenchError:
        raise
    except Exception as error:  # whatever a constructor raises is about its arguments
        raise UsageError(f"{where}: {plain['_target_']} refuses its settings: {one_line(error)}") from error


def check_targets(plain: Any, prefixes: Sequence[str], where: str) -> None:
    """Refuse targets outside the allowed packages, also those that an allowed module merely imports.

    `mmbench.store.os.unlink` begins with an allowed prefix; so what counts is where the object was defined.
    """
    if isinstance(plain, Mapping):
        target = plain.get("_target_")
        if target is not None:
            _check_target(str(target), prefixes, where or "the config")
        for key, value in plain.items():
            check_targets(value, prefixes, f"{where}.{key}" if where else str(key))
    elif isinstance(plain, list | tuple):
        for index, value in enumerate(plain):
            check_targets(value, prefixes, f"{where}[{index}]")


def _check_target(target: str, prefixes: Sequence[str], where: str) -> None:
    def allowed(name: str) -> bool:
        return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)

    if not allowed(target):
        root = target.partition(".")[0]
        raise UsageError(
            f"{where}: _target_ {target} is outside {', '.join(prefixes)}; if you trust it: allow=[{root}]"
        )
    try:
        found = hydra.utils.get_object(target)
    except Exception as error:  # importing may raise anything
        raise UsageError(f"{where}: _target_ {target} cannot be imported: {one_line(error)}") from error
    if not isinstance(found, type) or not allowed(found.__module__):
        raise UsageError(f"{where}: _target_ {target} is no class of {', '.join(prefixes)}; name its own module")


_FEW = 12


def unknown(group: str, name: str, known: Sequence[str]) -> str:
    """One line about a name that a group lacks: all that it has, or of many the nearest."""
    if len(known) <= _FEW:
        return f"{group} {name!r} is not known; known are {', '.join(known)}"
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{group} {name!r} is not known; {meant}'mmbench list {group}s' shows all {len(known)}"


def one_line(error: BaseException) -> str:
    """What a Hydra or OmegaConf error says, on one line and without its list of search paths."""
    if ours := re.search(r"UsageError raised while resolving interpolation: (.*)", str(error)):
        return ours[1]
    missing = re.search(r"Missing mandatory value: (\S+)", str(error))
    if missing:
        return f"{missing[1]} has no value in its config; give one: {missing[1]}=..."
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = (error.missing_cfg_file or "").rpartition("/")
        return unknown(group or "config", name, error.options)
    lines = [" ".join(line.split()) for line in str(error).splitlines()]
    if any(word in str(error) for word in ("LexerNoViableAlt", "mismatched input", "no viable alternative")):
        return f"an override cannot be read ({lines[0][:200]}); put quotes around such a value: \"key='my value'\""
    if "Available options:" in lines:  # a group was left out
        at = lines.index("Available options:")
        lines = [lines[0], f"known are {', '.join(filter(None, lines[at + 1 :]))}"]
    kept = [line.rstrip(".:") for line in lines if line and not line.startswith(("Config search path", "provider="))]
    return "; ".join(kept[:3])[:400]
