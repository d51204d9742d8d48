"""``lifestage models …`` and ``lifestage retrain``: stored models, and how they are made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.console import sentences
from lifestage.cli.options import (
    Amount,
    Backtest,
    Cac,
    Channel,
    Config,
    Currency,
    Customer,
    Debug,
    Discount,
    Draws,
    Earliest,
    Horizon,
    Lang,
    Level,
    Margin,
    Memory,
    Method,
    Order,
    Out,
    PeriodName,
    Playbook,
    Purchases,
    Quantity,
    Query,
    Seed,
    Table,
    Temp,
    Threads,
    Time,
    Tz,
    Until,
)
from lifestage.cli.tables import answer
from lifestage.core.errors import ConfigError, LockedError

__all__ = ["models", "retrain"]

models = typer.Typer(
    name="models",
    help="Stored models: their versions, the champion that serves, and the way back.",
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


def folder_of(model: str, store: Path | None) -> Path:
    """The folder of a model that is told by its name in a store, or by the path of the folder itself.

    Raises
    ------
    ConfigError
        If both a path and a store are given.
    RegistryError
        If a name is none.
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
def init(
    name: Name,
    orders: Annotated[
        str | None, typer.Option("--orders", help="Where its orders are: file, glob or address.")
    ] = None,
    customer: Customer = None,
    time: Time = None,
    amount: Amount = None,
    quantity: Quantity = None,
    order: Order = None,
    channel: Channel = None,
    table: Table = None,
    query: Query = None,
    earliest: Earliest = None,
    tz: Tz = None,
    period: PeriodName = None,
    horizon: Horizon = None,
    purchases: Purchases = None,
    method: Method = None,
    draws: Draws = None,
    seed: Seed = None,
    backtest: Backtest = None,
    discount_rate: Discount = None,
    margin: Margin = None,
    level: Level = None,
    cac: Cac = None,
    currency: Currency = None,
    lang: Lang = None,
    playbook: Playbook = None,
    memory_limit: Memory = None,
    temp_directory: Temp = None,
    threads: Threads = None,
    config: Config = None,
    store: Store = None,
    debug: Debug = False,
) -> None:
    """Write the recipe of a new model, to be looked through and changed.

    [dim]lifestage models init shop --orders 'orders/*.parquet' --customer id --time date --amount price[/dim]
    """
    options = locals()
    with sentences(debug):
        from lifestage.core.files import staging_file
        from lifestage.jobs.config import RunConfig, read_config
        from lifestage.jobs.model_spec import spec_text

        settings = read_config(
            config, {key: each for key, each in options.items() if key in RunConfig.model_fields}
        )
        text = spec_text(orders, {key: getattr(settings, key) for key in settings.model_fields_set})
        folder = folder_of(name, store)
        if (folder / "spec.toml").exists():
            raise ConfigError(
                f"expected a new model; {folder / 'spec.toml'} is there and is left alone"
            )
        with staging_file(folder / "spec.toml") as staging:
            staging.write_text(text, "utf-8")
        typer.echo(f"Written: {folder / 'spec.toml'}. Next: lifestage retrain {folder}")


@models.command("list")
def listed(
    store: Annotated[Path, StoreOption] = STORE, out: Out = None, debug: Debug = False
) -> None:
    """All models of a store, with their champions and how many versions they have."""

    def make() -> Any:
        import pandas as pd

        from lifestage import registry

        found = sorted(each for each in store.iterdir() if each.is_dir()) if store.is_dir() else []
        rows = [
            (each.name, registry.champion(each), len(registry.versions(each))) for each in found
        ]
        return pd.DataFrame(rows, columns=["model", "champion", "versions"])

    answer(make, out, debug)


@models.command()
def show(name: Name, version: Version = None, store: Store = None, debug: Debug = False) -> None:
    """The versions of a model, and the card of one."""
    with sentences(debug):
        from lifestage import registry
        from lifestage.core.errors import RegistryError

        folder = folder_of(name, store)
        serving = registry.champion(folder)
        for each in registry.versions(folder):
            typer.echo(f"{'*' if each == serving else ' '} {each}")
        chosen = version or serving
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
    """Parameters of two versions side by side, with 95 % intervals."""

    def make() -> Any:
        from lifestage import registry

        return registry.diff(folder_of(name, store), before, after)

    answer(make, out, debug)


@models.command()
def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="The version that is to serve.")],
    store: Store = None,
    debug: Debug = False,
) -> None:
    """Make a version the champion, at once for every reader."""
    with sentences(debug):
        from lifestage import registry

        folder = folder_of(name, store)
        with registry.lock(folder):
            registry.promote(folder, version)
        typer.echo(f"Champion: {version}")


@models.command()
def rollback(name: Name, store: Store = None, debug: Debug = False) -> None:
    """Go back to the champion before this one."""
    with sentences(debug):
        from lifestage import registry

        folder = folder_of(name, store)
        with registry.lock(folder):
            typer.echo(f"Champion: {registry.rollback(folder)}")


@models.command()
def prune(
    name: Name,
    keep: Annotated[int, typer.Option("--keep", help="How many of the newest stay.")] = 12,
    store: Store = None,
    debug: Debug = False,
) -> None:
    """Remove old versions, never the champion nor the one before it."""
    with sentences(debug):
        from lifestage import registry

        folder = folder_of(name, store)
        with registry.lock(folder):
            gone = registry.prune(folder, keep)
        typer.echo("\n".join(f"Removed: {each}" for each in gone) or "Nothing to remove.")


def retrain(
    name: Name,
    orders: Annotated[
        str | None, typer.Argument(help="Orders in the place of those of the recipe.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for customers and report.")
    ] = None,
    until: Until = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything, write nothing.")
    ] = False,
    store: Store = None,
    debug: Debug = False,
) -> None:
    """Make a stored model again on newer data; it serves only if it is not worse.

    A line of JSON a step. Exit codes: 0 a new champion, 3 stored but the champion stays, 4 the data
    did not pass the gates (or there are none that are new), 5 another process is at it, 1 anything
    else.

    [dim]lifestage retrain models/shop --out result[/dim]
    """

    with sentences(debug):
        from lifestage.core.plain import plain
        from lifestage.jobs.retrain import retrain as make_again

        def told(name: str, facts: dict[str, Any]) -> None:
            typer.echo(json.dumps(plain({"step": name, **facts}), allow_nan=False))

        try:
            found = make_again(
                folder_of(name, store), orders, out=out, until=until, dry_run=dry_run, step=told
            )
        except LockedError as error:
            typer.secho(f"Error: {error}", err=True, fg=typer.colors.RED)
            raise typer.Exit(LOCKED) from None
    raise typer.Exit({"promoted": 0, "kept": KEPT, "refused": REFUSED}[found.outcome])
