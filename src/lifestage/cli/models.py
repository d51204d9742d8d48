"""``lifestage models …`` and ``lifestage retrain``: stored models and their retraining."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.console import sentences
from lifestage.cli.options import RUN, Config, Debug, Out, Overrides, Until, takes
from lifestage.cli.tables import answer
from lifestage.core.errors import ConfigError, LockedError

__all__ = ["models", "retrain"]

models = typer.Typer(
    name="models",
    help="Stored models: versions, the champion in use, and rollback.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

STORE = Path("models")
StoreOption = typer.Option("--store", help="Folder of the models.", show_default=str(STORE))
Store = Annotated[Path | None, StoreOption]
Name = Annotated[
    str, typer.Argument(help="Name of the model in the store, or the path of its folder.")
]
Version = Annotated[str | None, typer.Argument(help="Version; the champion if left out.")]

KEPT, REFUSED, LOCKED = 3, 4, 5
"""Exit codes of a retraining that promoted nothing."""


INIT_OPTIONS = {name: option for name, option in RUN.items() if name != "until"}
"""All settings of a run but one: a fixed last day would train every model on the same data."""


def folder_of(model: str, store: Path | None) -> Path:
    """Return the folder of a model, from its name in a store or the path of the folder itself.

    Raises
    ------
    ConfigError
        If both a path and a store are given.
    RegistryError
        If the name is invalid.
    """
    from lifestage.registry import model_folder

    if Path(model).name == model:
        return model_folder(STORE if store is None else store, model)
    if store is not None:
        raise ConfigError(
            f"expected the name of a model beside --store, or its path without; got {model} and"
            f" {store}"
        )
    return Path(model)


@models.command("init")
@takes(INIT_OPTIONS)
def init(
    name: Name,
    overrides: Overrides,
    orders: Annotated[
        str | None, typer.Option("--orders", help="Where its orders are: file, glob or address.")
    ] = None,
    config: Config = None,
    store: Store = None,
    debug: Debug = False,
) -> None:
    """Write the specification of a new model, to be reviewed and edited.

    [dim]lifestage models init shop --orders 'orders/*.parquet' --customer id --time date[/dim]
    """
    with sentences(debug):
        from lifestage.core.files import staging_file
        from lifestage.jobs.config import read_config
        from lifestage.jobs.model_spec import spec_text

        settings = read_config(config, overrides)
        text = spec_text(orders, {key: getattr(settings, key) for key in settings.model_fields_set})
        file = folder_of(name, store) / "spec.toml"
        if file.exists():
            raise ConfigError(f"expected a new model; {file} is there and is left alone")
        with staging_file(file) as staging:
            staging.write_text(text, "utf-8")
        typer.echo(f"Written: {file}. Next: lifestage retrain {file.parent}")


@models.command("list")
def listed(
    store: Annotated[Path, StoreOption] = STORE, out: Out = None, debug: Debug = False
) -> None:
    """List the models of a store, with their champion and number of versions."""

    def make() -> Any:
        import pandas as pd

        from lifestage import registry

        rows = []
        for folder in sorted(store.iterdir()) if store.is_dir() else ():
            if folder.is_dir():
                versions = registry.versions(folder)
                rows.append((folder.name, registry.champion(folder), len(versions)))
        return pd.DataFrame(rows, columns=["model", "champion", "versions"])

    answer(make, out, debug)


@models.command()
def show(name: Name, version: Version = None, store: Store = None, debug: Debug = False) -> None:
    """List the versions of a model, and show the model card of one."""
    with sentences(debug):
        from lifestage import registry
        from lifestage.core.errors import RegistryError

        folder = folder_of(name, store)
        champion = registry.champion(folder)
        for stored in registry.versions(folder):
            typer.echo(f"{'*' if stored == champion else ' '} {stored}")
        chosen = version or champion
        if chosen is None:
            raise RegistryError(f"expected a model with a champion in {folder}; it has none")
        model = registry.load_version(folder, chosen)
        typer.echo(f"\n{model!r}\n{model.status}\n")
        if (registry.verify(folder, chosen) / "card.md").exists():
            typer.echo(registry.read_text(folder, chosen, "card.md"))


@models.command()
def diff(
    name: Name,
    before: Annotated[str, typer.Argument(help="A version.")],
    after: Annotated[str, typer.Argument(help="Another version.")],
    store: Store = None,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Compare the parameters of two versions, with 95 % intervals."""

    def make() -> Any:
        from lifestage import registry

        return registry.diff(folder_of(name, store), before, after)

    answer(make, out, debug)


@models.command()
def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="The new champion.")],
    store: Store = None,
    debug: Debug = False,
) -> None:
    """Make a version the champion; every reader sees it at once."""
    with sentences(debug):
        from lifestage import registry

        folder = folder_of(name, store)
        with registry.lock(folder):
            registry.promote(folder, version)
        typer.echo(f"Champion: {version}")


@models.command()
def rollback(name: Name, store: Store = None, debug: Debug = False) -> None:
    """Make the previous champion the champion again."""
    with sentences(debug):
        from lifestage import registry

        folder = folder_of(name, store)
        with registry.lock(folder):
            typer.echo(f"Champion: {registry.rollback(folder)}")


@models.command()
def prune(
    name: Name,
    keep: Annotated[int, typer.Option("--keep", help="Number of newest versions to keep.")] = 12,
    store: Store = None,
    debug: Debug = False,
) -> None:
    """Remove old versions, never the champion or the one before it."""
    with sentences(debug):
        from lifestage import registry

        folder = folder_of(name, store)
        with registry.lock(folder):
            removed = registry.prune(folder, keep)
        lines = [f"Removed: {version}" for version in removed]
        typer.echo("\n".join(lines) or "Nothing to remove.")


def retrain(
    name: Name,
    orders: Annotated[
        str | None, typer.Argument(help="Orders in place of those of the specification.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for customers and report.")
    ] = None,
    until: Until = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything but write nothing.")
    ] = False,
    store: Store = None,
    debug: Debug = False,
) -> None:
    """Retrain a stored model on newer data; promote it only if its forecasts are not worse.

    Safe to interrupt at any point. Prints one line of JSON per step. Exit codes: 0 new champion, 3
    stored but not promoted, 4 the data failed a check (or nothing is new), 5 another process holds
    the lock, 1 any other error.

    [dim]lifestage retrain models/shop --out result[/dim]
    """
    with sentences(debug):
        from lifestage.core.plain import plain
        from lifestage.jobs.retrain import retrain as retrain_model

        def print_step(name: str, facts: dict[str, Any]) -> None:
            typer.echo(json.dumps(plain({"step": name, **facts}), allow_nan=False))

        folder = folder_of(name, store)
        try:
            result = retrain_model(
                folder, orders, out=out, until=until, dry_run=dry_run, step=print_step
            )
        except LockedError as error:
            typer.secho(f"Error: {error}", err=True, fg=typer.colors.RED)
            raise typer.Exit(LOCKED) from None
    raise typer.Exit({"promoted": 0, "kept": KEPT, "refused": REFUSED}[result.outcome])
