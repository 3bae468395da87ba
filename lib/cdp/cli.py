"""`cdp`: what needs no Spark: check a configuration, see what lies in a lake, read what a table promises."""

import getpass
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as RichTable

from cdp import __version__
from cdp.base.contracts import Table
from cdp.base.errors import CdpError, UsageError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode=None)

ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration folder.")]
LakeOption = Annotated[Path, typer.Option("--lake", help="The folder of the tables.")]


@app.command()
def validate(config: ConfigOption = Path("conf")) -> None:
    """Check every file of a configuration, references between them included."""
    from cdp.pipeline import STAGES
    from cdp.runner.settings import load_settings

    folder, _ = load_settings(config, STAGES)
    files = sorted(p for p in folder.path.rglob("*") if p.suffix in (".yaml", ".yml"))
    print(f"{folder.path}: {len(files)} files are right")


@app.command()
def tables(lake: LakeOption = Path("lake")) -> None:
    """List the tables of a lake with their rows and versions."""
    from deltalake import DeltaTable

    if not lake.is_dir():
        raise UsageError(f"--lake {lake}: found {'a file' if lake.exists() else 'nothing'}, wanted the folder of a lake")
    logs = sorted(lake.glob("*/*/_delta_log"))
    if not logs:
        raise UsageError(f"--lake {lake}: found no table; `./spark-submit.sh pipeline` makes some")
    declared = _declared()
    shown = RichTable("table", "rows", "version", "one row is", header_style="bold")
    for log in logs:
        name = f"{log.parent.parent.name}.{log.parent.name}"
        found = DeltaTable(log.parent)
        rows = sum(found.get_add_actions(flatten=True)["num_records"].to_pylist())
        grain = declared[name].grain if name in declared else ""
        shown.add_row(name, f"{rows:,}", str(found.version()), grain)
    shown.columns[0].no_wrap = True  # a narrow terminal folds the words, not the name
    for column in shown.columns[1:3]:
        column.justify = "right"
    Console().print(shown)


@app.command()
def describe(
    target: Annotated[str, typer.Argument(help="An extract, a folder of extracts, or layer.table, e.g. gold.profiles.")],
    output: Annotated[Path | None, typer.Option("--output", help="Write the source's YAML there, not to the screen.")] = None,
    config: ConfigOption = Path("conf"),
) -> None:
    """Propose a source's YAML for an extract, or say what a table promises: its grain, key and columns."""
    if _is_path(target):
        _describe_extract(Path(target), output)
    elif output is not None:
        raise UsageError(f"--output {output}: it takes the YAML of an extract, and {target} is no file")
    else:
        _describe_table(target, config)


def _is_path(target: str) -> bool:
    from cdp.bronze.describe.opened import ENDINGS

    return "/" in target or "\\" in target or Path(target).suffix.lower() in ENDINGS or os.path.lexists(target)


def _describe_extract(path: Path, output: Path | None) -> None:
    from cdp.base.files import explain_os_error
    from cdp.bronze.describe import describe_extract

    if output is not None and output.exists():
        raise UsageError(f"--output {output}: is there already; what somebody corrected is not written over")
    try:
        proposal = describe_extract(path)
    except UsageError as error:
        hint = "" if path.exists() else "; a table is named layer.table, e.g. gold.profiles"
        raise UsageError(f"{error}{hint}") from None
    if output is None:
        print(proposal, end="")
        return
    try:
        output.write_text(proposal, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--output {output}: {explain_os_error(error)}") from None
    print(f"{output}: written; correct it, then `cdp validate`")


def _describe_table(table: str, config: Path) -> None:
    from cdp.base.settings import did_you_mean

    declared = _declared()
    if table not in declared:
        raise UsageError(f"found no file {table}, and no table called {table}{did_you_mean(table, sorted(declared))}")
    found = _with_own_traits(declared[table], config)
    shown = RichTable("column", "type", "personal", "unit", "description", header_style="bold")
    shown.columns[0].no_wrap = True
    for column in found.columns:
        personal = "yes" if column.pii else ""
        shown.add_row(column.name, column.type, personal, column.unit or "", column.description)
    console = Console()
    console.print(f"{found.name}: {found.grain}; key {', '.join(found.key)}", highlight=False)
    console.print(shown)


@app.command()
def explain(
    first: Annotated[str, typer.Argument(help="A record as source|record_key, or a customer_id.")],
    second: Annotated[str | None, typer.Argument(help="The other record, as source|record_key.")] = None,
    lake: LakeOption = Path("lake"),
    chart: Annotated[Path | None, typer.Option("--chart", help="Draw the evidence there: .svg, .png or .pdf.")] = None,
    show_pii: Annotated[bool, typer.Option("--show-pii", help="Show names and addresses as they are.")] = False,
) -> None:
    """Say why two records are one person or are not, or how a customer's records came together."""
    from cdp.identity.explain import explain_customer, explain_pair
    from cdp.identity.pictures import evidence_picture
    from cdp.identity.show import show

    _check_chart(chart)
    found = explain_customer(lake, first) if second is None else explain_pair(lake, _record(first), _record(second))
    show(found, Console(), show_pii=show_pii)
    if chart is None:
        return
    compared = next((link for link in (*found.links, *found.chain) if link.evidence), None)
    if compared is None:
        raise UsageError(f"--chart {chart}: these records were linked by identifiers alone; there is no evidence to draw")
    evidence_picture(compared).savefig(chart)
    print(chart)


ShowPiiOption = Annotated[bool, typer.Option("--show-pii", help="Show names, addresses and identifiers as they are.")]


@app.command("lookup")
def lookup_(
    email: Annotated[str | None, typer.Option("--email", help="An e-mail address.")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="A phone number, in local form as well.")] = None,
    loyalty_id: Annotated[str | None, typer.Option("--loyalty-id", help="The number of a loyalty card.")] = None,
    customer_id: Annotated[str | None, typer.Option("--customer-id", help="A customer id, a former one as well.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="A name in any order, with typos, accents or initials.")] = None,
    id_: Annotated[str | None, typer.Option("--id", metavar="TYPE=VALUE", help="Any other identifier, e.g. crm_id=1234.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="ISO country in which --phone is dialled so.")] = None,
    lake: LakeOption = Path("lake"),
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")] = False,
    show_pii: ShowPiiOption = False,
) -> None:
    """Find a person by anything they are or were known by; `-` in place of a value reads it from standard input."""
    from cdp.lookup.command import lookup

    given = {
        "--email": email,
        "--phone": phone,
        "--loyalty-id": loyalty_id,
        "--customer-id": customer_id,
        "--name": name,
        "--id": id_,
    }
    lookup(lake, given, country=country, in_json=json_, show_pii=show_pii)


@app.command("why")
def why_(
    customer: Annotated[str, typer.Argument(help="A customer id, e-mail address, phone number, name or TYPE=VALUE; `-` reads it from standard input.")],
    segment: Annotated[str, typer.Argument(help="The segment's name.")],
    lake: LakeOption = Path("lake"),
    config: ConfigOption = Path("conf"),
    as_of: Annotated[datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Judge as of this date, not as of the segment's last run.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")] = False,
    show_pii: ShowPiiOption = False,
) -> None:
    """Say why somebody is in a segment or is not: each condition with the value that met or missed it."""
    from cdp.lookup.why import why

    typed = sys.stdin.readline() if customer == "-" else customer
    why(lake, config, typed, segment, as_of=as_of.date() if as_of else None, in_json=json_, show_pii=show_pii)


@app.command("serve")
def serve_(
    lake: LakeOption = Path("lake"),
    host: Annotated[str, typer.Option("--host", help="The address to listen at; any but loopback needs CDP_SERVE_TOKEN.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port; 0 takes a free one.", min=0, max=65535)] = 8585,
    names: Annotated[list[str] | None, typer.Option("--name", help="A further name under which browsers reach it.")] = None,
    show_pii: ShowPiiOption = False,
) -> None:
    """Serve a page to find a person and see their profile and timeline; it only reads."""
    from cdp.lookup.serve import serve

    serve(lake, host=host, port=port, names=names or (), show_pii=show_pii)


SideArgument = Annotated[str, typer.Argument(help="A record as source|record_key, or an identifier as id_type=value.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the rule.")]
AuthorOption = Annotated[str | None, typer.Option("--author", help="Who decides it; default: the user of this machine.")]


@app.command()
def link(
    left: SideArgument,
    right: SideArgument,
    reason: ReasonOption,
    author: AuthorOption = None,
    config: ConfigOption = Path("conf"),
    lake: LakeOption = Path("lake"),
) -> None:
    """Say that two records are one person, whatever they look like; `resolve` applies it."""
    _decide("always_link", (left, right), reason, author, config, lake)


@app.command()
def unlink(
    left: SideArgument,
    right: SideArgument,
    reason: ReasonOption,
    author: AuthorOption = None,
    config: ConfigOption = Path("conf"),
    lake: LakeOption = Path("lake"),
) -> None:
    """Say that two records are two people, whatever links them; `resolve` applies it."""
    _decide("never_link", (left, right), reason, author, config, lake)


@app.command()
def block(
    value: Annotated[str, typer.Argument(help="An identifier that is nobody's, as id_type=value.")],
    reason: ReasonOption,
    author: AuthorOption = None,
    config: ConfigOption = Path("conf"),
    lake: LakeOption = Path("lake"),
) -> None:
    """Say that an identifier identifies nobody; `resolve` applies it."""
    _decide("block", (value,), reason, author, config, lake)


def _decide(
    action: str, sides: tuple[str, ...], reason: str, author: str | None, config: Path, lake: Path
) -> None:
    from cdp.base.settings import ConfigFolder
    from cdp.identity.explain import check_known
    from cdp.identity.rules import Rule, add_rule, check_rule

    folder = ConfigFolder(config)
    rule = Rule(action, sides[0], sides[1] if len(sides) > 1 else None, reason, author or getpass.getuser())
    check_rule(rule)
    for side in sides:
        check_known(lake, side)
    print(add_rule(folder.path, rule))


@app.command("evaluate")
def evaluate_(
    truth: Annotated[Path, typer.Option("--truth", help="CSV or Parquet with source, record_key and person_id.")],
    lake: LakeOption = Path("lake"),
    chart: Annotated[Path | None, typer.Option("--chart", help="Draw precision and recall by threshold: .svg, .png, .pdf.")] = None,
) -> None:
    """Score the customers of a lake against known persons, and say where the errors come from."""
    from cdp.identity.evaluate import (
        curve,
        errors,
        evaluate,
        reached,
        read_assignments,
        read_keys,
        read_links,
        read_truth,
    )
    from cdp.identity.pictures import curve_picture

    _check_chart(chart)
    persons, assignments = read_truth(truth), read_assignments(lake)
    found = evaluate(assignments, persons)
    if not found.compared:
        raise UsageError(f"--truth {truth}: none of its {found.unknown:,} records is in identity.assignments")
    shown = RichTable("", "precision", "recall", "F1", header_style="bold")
    for name, scores in (("pairs of records", found.pairs), ("records (B-cubed)", found.records)):
        shown.add_row(name, *(f"{value:.4f}" for value in (scores.precision, scores.recall, scores.f1)))
    Console().print(shown)
    print(f"{found.compared:,} records: {found.customers:,} customers, {found.persons:,} persons")
    if found.unknown:
        print(f"{found.unknown:,} records of the truth have no customer")
    print(f"{len(found.merged):,} customers hold several persons, {found.split:,} persons have several customers")
    keys = read_keys(lake)
    met, true = reached(keys, persons)
    if true:
        print(f"blocking reaches {met / true:.2%} of the {true:,} pairs of customer records of one person")
    links = read_links(lake)
    told = errors(links, assignments, persons, keys)
    for title, counts in (("accepted links between two persons, by", told.wrong), ("customers of one person kept apart, as", told.missed)):
        if counts:
            kinds = RichTable(title, "", header_style="bold")
            kinds.columns[1].justify = "right"
            for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
                kinds.add_row(kind, f"{count:,}")
            Console().print(kinds)
    if found.merged:
        print(f"Look at the worst: cdp explain {found.merged[0]} --lake {lake}")
    if chart is not None:
        points = curve(links, persons)
        if not points:
            raise UsageError(f"--chart {chart}: no compared pair has both its records in the truth; there is nothing to draw")
        curve_picture(points).savefig(chart)
        print(chart)


@app.command("evaluate-predictions")
def evaluate_predictions(
    truth: Annotated[Path, typer.Option("--truth", help="The folder that the sample writes beside its extracts.")] = Path("landing-truth"),
    lake: LakeOption = Path("lake"),
) -> None:
    """Score the predictions of the sample retailer's lake, beside what its persons' true rates would reach."""
    from cdp.sample.reachable import reached

    found = reached(lake, truth)
    shown = RichTable("", *(f"{r.horizon_days} days" for r in found), header_style="bold")
    for column in shown.columns[1:]:
        column.justify = "right"
    for name, texts in (
        ("customers", [f"{r.customers:,}" for r in found]),
        ("churn: ROC AUC", [f"{r.auc:.3f}" for r in found]),
        ("  by true rates", [f"{r.best_auc:.3f}" for r in found]),
        ("  share of that lead over chance", [f"{r.share_of_auc:.0%}" for r in found]),
        ("  Brier score", [f"{r.brier:.3f}" for r in found]),
        ("  calibration error", [f"{r.calibration_error:.3f}" for r in found]),
        ("value: normalised Gini", [f"{r.gini:.3f}" for r in found]),
        ("  by true rates", [f"{r.best_gini:.3f}" for r in found]),
        ("  total against what came", [f"{r.total:+.0%}" for r in found]),
        ("  within the 80 % interval", ["-" if r.covered is None else f"{r.covered:.0%}" for r in found]),
    ):
        shown.add_row(name, *texts)
    Console().print(shown)


def _check_chart(chart: Path | None) -> None:
    if chart is not None and chart.suffix not in (".svg", ".png", ".pdf"):
        raise UsageError(f"--chart {chart}: found {chart.suffix or 'no ending'}, wanted .svg, .png or .pdf")
    if chart is not None and not chart.absolute().parent.is_dir():
        raise UsageError(f"--chart {chart}: found no folder {chart.parent}")


def _record(text: str) -> tuple[str, str]:
    source, bar, key = text.partition("|")
    if not (source and bar and key):
        raise UsageError("wanted a record as source|record_key, found something without a bar")
    return source, key


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if show:
        print(__version__)
        raise typer.Exit


def _declared() -> dict[str, Table]:
    from cdp.tables import activation, bronze, gold, identity, ops, silver

    modules = (silver, identity, gold, activation, ops)
    return {t.name: t for t in (bronze.QUARANTINE, *(t for module in modules for t in module.TABLES))}


def _with_own_traits(table: Table, config: Path) -> Table:
    """The table with the traits of the configuration, where it holds traits and there is one."""
    from cdp.base.settings import ConfigFolder
    from cdp.gold.computed.columns import traits_table
    from cdp.gold.computed.load import load_traits
    from cdp.tables.gold import TRAITS, TRAITS_HISTORY

    if table not in (TRAITS, TRAITS_HISTORY) or not config.is_dir():
        return table
    return traits_table(load_traits(ConfigFolder(config)), table)


def main() -> None:
    """The console command; a mistake of the user's is one line and exit code 2."""
    try:
        app()
    except CdpError as error:
        Console(stderr=True, highlight=False, markup=False).print(f"error: {error}", soft_wrap=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
