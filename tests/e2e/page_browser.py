"""A real Chromium on the page of a real daemon, for tests: what it asked for, what its console said, what axe finds."""
import os
import shutil

from playwright.sync_api import sync_playwright

import shop_project as sp

AXE = os.path.join(sp.TOP, "web", "node_modules", "axe-core", "axe.min.js")
FIND = """async (source) => {
  if (!window.axe) (0, eval)(source);
  const found = await window.axe.run(document, {resultTypes: ['violations']});
  return found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id} (${v.impact}): ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join('; ')}: ${v.nodes[0].failureSummary}`);
}"""


class Browser:
    """One for a class of tests."""

    def __init__(self):
        executable = shutil.which("chromium")
        assert executable, "there is no chromium: run scripts/setup"
        self.playwright = sync_playwright().start()
        # Chromium refuses its sandbox to root.
        self.browser = self.playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"] if os.geteuid() == 0 else [])

    def close(self):
        self.browser.close()
        self.playwright.stop()

    def window(self, base, **options):
        return Window(self.browser.new_context(base_url=base, timezone_id="Europe/Madrid", locale="en-GB", **options), base)


class Window:
    """A context with one page, which notes what must not happen."""

    def __init__(self, context, base):
        self.context, self.base = context, base
        self.requests, self.complaints, self.answers = [], [], []
        context.set_default_timeout(20_000)
        self.page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("response", lambda response: self.answers.append((response.status, response.url)))
        self.page.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def close(self):
        self.context.close()

    def open(self, path):
        self.page.goto(path)
        self.settle()

    def settle(self):
        """Whatever was loading is there. The stream of events is always open, so `networkidle` never comes."""
        self.page.locator("h1").first.wait_for()
        self.page.wait_for_function("() => !document.querySelector('.loading')")

    def log_in(self, user, password):
        self.page.get_by_label("User", exact=True).fill(user)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def heading(self):
        return self.page.locator("h1").first.inner_text()

    def foreign(self):
        """Requests that left the daemon."""
        return [url for url in self.requests if not url.startswith((self.base + "/", "data:", "blob:"))]

    def axe(self):
        with open(AXE, encoding="utf-8") as f:
            return self.page.evaluate(FIND, f.read())

    def is_too_wide(self):
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
