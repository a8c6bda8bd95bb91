"""The panel as a person meets it: by roles and labels, never by the page's inner structure."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class Panel:
    """Nuvo's panel in a page of JupyterLab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_role("region", name="Nuvo", exact=True)

    def visit(self, url: str) -> None:
        """Load JupyterLab and wait until it can be used."""
        self.page.goto(url)
        self.page.locator(".jp-Launcher").wait_for()

    def open(self) -> None:
        """Bring the panel to the front."""
        if not self.root.is_visible():
            self.page.get_by_role("tab", name="Nuvo: states, snapshots and distribution").click()
        expect(self.root).to_be_visible()
        expect(self.card).to_have_attribute("aria-busy", "false")

    def open_files(self) -> None:
        """Bring the file browser to the front."""
        files = self.page.get_by_role("region", name="File Browser Section")
        # A click on the tab of what is in front would fold it away.
        if not files.is_visible():
            self.page.get_by_role("tab", name="File Browser").click()
        expect(files).to_be_visible()

    @property
    def card(self) -> Locator:
        """The state card."""
        return self.root.get_by_role("region", name="Current state")

    @property
    def snapshots(self) -> Locator:
        """The timeline's rows."""
        return self.root.get_by_role("list", name="Snapshots, newest first").locator("> li")

    @property
    def tasks(self) -> Locator:
        """The tasks' rows."""
        return self.root.get_by_role("list", name="Tasks, newest first").locator("> li")

    @property
    def tables(self) -> Locator:
        """The tables' rows."""
        return self.root.get_by_role("list", name="Tables", exact=True).locator("> li")

    @property
    def applications(self) -> Locator:
        """The applications' rows."""
        return self.root.get_by_role("list", name="Applications", exact=True).locator("> li")

    @property
    def staged(self) -> Locator:
        """The stage's rows."""
        return self.root.get_by_role("list", name="Staged objects").get_by_role("listitem")

    @property
    def dialog(self) -> Locator:
        """The dialog in front."""
        return self.page.get_by_role("dialog")

    @property
    def distribution(self) -> Locator:
        """The tab in which a distribution is set up."""
        return self.page.get_by_role("region", name="Distribution", exact=True)

    def button(self, name: str) -> Locator:
        """A button of the panel, by its exact label."""
        return self.root.get_by_role("button", name=name, exact=True)

    def take_snapshot(self) -> None:
        """Take a quick snapshot and wait until the timeline shows it."""
        before = self.snapshots.count()
        self.button("Take snapshot").click()
        expect(self.snapshots).to_have_count(before + 1)

    def describe_snapshot(
        self, *, name: str = "", done: str | None = None, next_phase: str = "", final: bool = False
    ) -> None:
        """Take a described snapshot and wait until the timeline shows it.

        Args:
            name: its name.
            done: what was done; ``None`` leaves what the dialog suggests.
            next_phase: what comes next.
            final: whether no work is expected in the next stage.
        """
        before = self.snapshots.count()
        self.button("Describe…").click()
        dialog = self.dialog
        dialog.get_by_label("Name (optional)").fill(name)
        if done is not None:
            dialog.get_by_label("What was done").fill(done)
        dialog.get_by_label("What comes next").fill(next_phase)
        dialog.get_by_label("No work is expected in the next stage").set_checked(final)
        dialog.get_by_role("button", name="Take snapshot").click()
        expect(self.snapshots).to_have_count(before + 1)

    def expand(self, row: Locator) -> None:
        """Open a row of the timeline or the tasks."""
        head = row.get_by_role("button").first
        if head.get_attribute("aria-expanded") == "false":
            head.click()
        expect(head).to_have_attribute("aria-expanded", "true")

    def unfold(self, section: str) -> None:
        """Open a section of the panel that is folded at first."""
        head = self.root.get_by_role("heading", name=section).get_by_role("button")
        if head.get_attribute("aria-expanded") == "false":
            head.click()
        expect(head).to_have_attribute("aria-expanded", "true")

    def confirm(self, label: str) -> None:
        """Accept the dialog in front."""
        self.dialog.get_by_role("button", name=label).click()
        expect(self.dialog).to_have_count(0)

    def file(self, name: str) -> Locator:
        """A file or folder in the file browser."""
        return self.page.locator(".jp-DirListing-item", has_text=name)

    def stage_from_menu(self, name: str) -> None:
        """Stage a file through the file browser's context menu."""
        self.choose_from_menu(name, "Stage for distribution")

    def choose_from_menu(self, name: str, label: str) -> None:
        """Choose from a file's context menu in the file browser."""
        self.open_files()
        self.file(name).click(button="right")
        self.page.get_by_role("menuitem", name=label).click()
