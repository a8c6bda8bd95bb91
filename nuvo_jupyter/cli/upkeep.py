"""`nuvo status`, `notifications`, `audit`, `verify`, `repair`, `demo`: the installation itself."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Context, Option, end
from nuvo_jupyter.cli.exit_codes import ERROR
from nuvo_jupyter.cli.options import Json, Limit
from nuvo_jupyter.cli.session import session

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def add(app: App) -> None:
    """Declare the commands."""

    @app.command()
    def status(context: Context, json: Json = False) -> None:
        """Who and where you are."""
        run = session(context)
        found = run.client.status()
        if run.output.struct(found):
            return
        rows = [
            ("version", found.version),
            ("user", f"{found.username} (organization {found.organization})"),
            ("home", found.home),
            ("folder", run.place.instance if run.place.known else "belongs to no instance yet"),
            ("unread", found.unread),
            ("e-mail", "set up" if found.mail else "not set up"),
        ]
        run.output.table(("", ""), rows)

    @app.command()
    def notifications(
        context: Context,
        unread: Annotated[bool, Option("--unread", help="Only unread ones.")] = False,
        read: Annotated[bool, Option("--read", help="Mark them as read.")] = False,
        limit: Limit = 50,
        json: Json = False,
    ) -> None:
        """List your notifications."""
        run = session(context)
        found = run.client.notification_list(unread=unread, limit=limit)
        if not run.output.struct(found):
            rows = [
                (
                    "" if item.read_at else "new",
                    item.created_at,
                    item.subject,
                    "; ".join(item.body.split("\n\n")).replace("\n", " ").strip(),
                )
                for item in found
            ]
            run.output.table(("", "when", "subject", "text"), rows)
        if read and found:
            run.client.notification_read(ids=[item.id for item in found])

    @app.command()
    def audit(
        context: Context,
        space: Annotated[str | None, Option("--space", autocompletion=completion.spaces)] = None,
        instance: Annotated[
            str | None, Option("--instance", "-i", autocompletion=completion.instances)
        ] = None,
        after: Annotated[int, Option("--after", min=0, help="Only entries with larger ids.")] = 0,
        limit: Limit = 1000,
        jsonl: Annotated[bool, Option("--jsonl", help="Export as JSON lines.")] = False,
        json: Json = False,
    ) -> None:
        """Read the audit trail. It says who did what, when, on which state, with what outcome."""
        run = session(context)
        target = run.place.state(instance) if instance else None
        fields = {"space": space, "instance": target, "after": after, "limit": limit}
        if jsonl:
            for chunk in run.client.audit_export(**fields).body:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        found = run.client.audit_list(**fields)
        if not run.output.struct(found):
            rows = [(item.id, item.at, item.who, item.action, item.state, item.outcome) for item in found]
            run.output.table(("id", "when", "who", "what", "on", "outcome"), rows)

    @app.command()
    def verify(context: Context, json: Json = False) -> None:
        """Re-hash everything in the store. Names the files that damage affects."""
        run = session(context)
        task = run.finish(run.client.verify(), True)
        found = run.client.verify_show(id=task.id)
        if not run.output.struct(found):
            for damage in found.damage:
                run.output.note(f"{damage.code}: {damage.detail}")
            for item in found.affected:
                run.output.line("\t".join(text for text in (item.reference, item.detail) if text))
            run.output.note(
                f"{found.packs} packs, {found.blobs} blobs and {found.snapshots} snapshots checked: "
                + (
                    "all sound."
                    if found.ok
                    else f"{len(found.damage)} damaged, {len(found.affected)} files affected."
                )
            )
        if not found.ok:
            end(ERROR)

    @app.command()
    def repair(
        context: Context,
        source: Annotated[
            str,
            Option(
                "--from", metavar="STORE", help="A copy of the store that may still have what is lost here."
            ),
        ] = "",
        json: Json = False,
    ) -> None:
        """Rebuild the catalog's index of the store from its packs. Lists what is lost for good."""
        run = session(context)
        if source and "://" not in source:
            source = os.path.abspath(source)
        task = run.finish(run.client.repair(source=source), True)
        found = run.client.repair_show(id=task.id)
        if run.output.struct(found):
            return
        for damage in found.damage:
            run.output.note(f"{damage.code}: {damage.detail}")
        run.output.note(
            f"{found.packs} packs read: {found.packs_added} packs and {found.blobs_added} blobs added to the index, "
            f"{found.packs_removed} packs and {found.blobs_removed} blobs removed, {found.taken_back} blobs taken back "
            "from elsewhere."
        )
        for item in found.lost:
            run.output.line("\t".join(text for text in (item.reference, item.detail) if text))
        if found.lost:
            run.output.note(
                f"Lost: the {len(found.lost)} named above. A copy of the store may have them: --from STORE."
            )
            end(ERROR)

    @app.command()
    def rebuild(context: Context, json: Json = False) -> None:
        """Make a new catalog where it is lost. Its snapshots are those the store still describes."""
        from nuvo_jupyter.clients.configured import configured
        from nuvo_jupyter.engine.rebuild import rebuild as act

        run = session(context)
        found = act(configured())
        if run.output.struct(found):
            return
        run.output.note(
            f"{found.packs} packs with {found.blobs} blobs read: {found.snapshots} snapshots found."
        )
        if found.incomplete:
            run.output.note(
                f"{found.incomplete} of them lack some of their content; `nuvo verify` names the files. "
                "Delete those you do not need: until then nothing is collected."
            )
        if found.space:
            run.output.note(
                f"They are snapshots of {found.space}/master now: `nuvo log {found.space}/master`."
            )

    @app.command(context_settings=_PASS_ON)
    def demo(context: Context) -> None:
        """Make the demo course and open JupyterLab in it. --check runs its story headless."""
        from nuvo_jupyter.demo.run import main

        end(main(context.args) or 0)

    @app.command(hidden=True)
    def openapi() -> None:
        """Write the OpenAPI document of the REST API (docs/openapi.json is made this way)."""
        from nuvo_jupyter.engine.openapi import encode

        sys.stdout.buffer.write(encode())
