#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page in headless Chromium: answers, tabs by keyboard, messages, widths, dark mode.

    python3 web/tests/page_test.py build/site/try build/release/bin/nystromformer [--shots FOLDER]
"""
import argparse
import functools
import http.server
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

options = None  # of the command line
TABS = ["mask", "sentiment", "speech", "search", "attention"]
DRAWN = {"mask": "#mask-answer li", "sentiment": "#sentiment-answer li", "speech": "#speech-answer mark",
         "search": "#search-answer li", "attention": "#attention-answer canvas"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class InBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        chrome = webdriver.ChromeOptions()
        chrome.binary_location = shutil.which("chromium")
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000"):
            chrome.add_argument(flag)
        chrome.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        cls.browser = webdriver.Chrome(options=chrome, service=service)

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()

    def serve(self, folder):
        handler = functools.partial(Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/"

    def open(self, folder, anchor=""):
        self.browser.get("about:blank")
        address = self.serve(folder)
        self.browser.get(address + anchor)
        return address

    def find(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, selector, seconds=60):
        WebDriverWait(self.browser, seconds).until(lambda _: self.find(selector), selector)
        return self.find(selector)

    def text(self, selector):
        """The text of the first such element, which the page may replace at any time; "" without one."""
        return self.browser.execute_script(
            "return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def problem(self):
        return self.text("#problem")

    def wait_until(self, condition, seconds=60):
        WebDriverWait(self.browser, seconds).until(lambda _: condition())

    def shot(self, name):
        if options.shots:
            options.shots.mkdir(parents=True, exist_ok=True)
            self.browser.save_screenshot(str(options.shots / f"{name}.png"))


class Page(InBrowser):
    def test_each_tab_answers_by_keyboard_and_asks_nobody_else(self):
        address = self.open(options.page)
        for name in TABS:
            self.wait(DRAWN[name])
            self.assertEqual(self.problem(), "")
            self.shot(name)
            self.assertEqual([tab.get_attribute("id") for tab in self.find("[role=tab][aria-selected=true]")],
                             [f"tab-{name}"])
            self.find(f"#tab-{name}")[0].send_keys(Keys.ARROW_RIGHT)
        addresses = self.browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
        self.assertGreater(len(addresses), 3)
        for one in addresses:
            self.assertTrue(one.startswith((address, "data:")), one)
        self.assertEqual([entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"], [])

    def test_the_answers_are_those_of_the_command_line(self):
        self.open(options.page)
        self.wait(DRAWN["mask"])
        text = "She poured the [MASK] into two cups."
        here = self.browser.execute_async_script(
            "const done = arguments[1]; ask({do: 'fill-mask', text: arguments[0], top_k: 5}).then(done)", text)
        model = options.page / "models" / "fill-mask"
        line = subprocess.run([options.program, "fill-mask", "--model", model, text], check=True, capture_output=True)
        there = json.loads(line.stdout)["output"]
        self.assertEqual([one["token_str"] for one in here], [one["token_str"] for one in there])
        for a, b in zip(here, there):
            self.assertAlmostEqual(a["score"], b["score"], delta=1e-4)
        times = self.browser.execute_script("return timings")
        print(f"first answer {times['answered'] - times['arrived']:.0f} ms after the model's last byte")

    def test_typing_changes_the_answer(self):
        self.open(options.page)
        self.wait(DRAWN["mask"])
        before = self.text("#mask-answer")
        area = self.find("#mask-text")[0]
        area.clear()
        area.send_keys("He lit the [MASK] with a match.")
        self.wait_until(lambda: self.text("#mask-answer") not in ("", before))

    def test_sliders_change_the_approximation_and_not_exact_attention(self):
        self.open(options.page, "#attention")
        self.wait(DRAWN["attention"])
        before = self.text("#attention-answer dd")
        slider = self.find("#landmarks")[0]
        for _ in range(8):
            slider.send_keys(Keys.ARROW_LEFT)
        self.assertEqual(self.text("#landmarks-value"), "8")
        self.wait_until(lambda: " 8 landmarks" in self.text("#attention-answer"))
        self.assertGreater(float(self.text("#attention-answer dd")), float(before))
        self.assertEqual(len(self.find(".segment")), 8)

    def test_a_text_without_a_mask_is_told_beside_its_input(self):
        self.open(options.page)
        self.wait(DRAWN["mask"])
        area = self.find("#mask-text")[0]
        area.clear()
        area.send_keys("Nothing is missing.")
        self.wait_until(lambda: "mask" in self.text("#mask-time"))

    def test_a_missing_file_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "try"
            shutil.copytree(options.page, copy)
            (copy / "models" / "fill-mask" / "config.json").unlink()
            self.open(copy)
            self.wait_until(lambda: "config.json" in self.problem())
            self.assertIn("404", self.problem())

    def test_an_old_browser_is_told_what_it_lacks(self):
        script = self.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument",
                                              {"source": "WebAssembly.validate = () => false"})
        try:
            self.open(options.page)
            self.assertIn("Chrome 95", self.problem())
        finally:
            self.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)

    def test_a_phone_needs_no_sideways_scrolling_and_dark_mode_is_dark(self):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        try:
            for name in TABS:
                self.open(options.page, f"#{name}")
                self.wait(DRAWN[name])
                self.shot(f"{name}-phone")
                wide = self.browser.execute_script("return document.documentElement.scrollWidth")
                self.assertLessEqual(wide, 360, name)
            ground = self.browser.execute_script("return getComputedStyle(document.body).backgroundColor")
            self.assertEqual(ground, "rgb(24, 26, 32)")
        finally:
            self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def test_every_input_has_a_label(self):
        self.open(options.page)
        unlabelled = self.browser.execute_script(
            "return [...document.querySelectorAll('input, textarea, progress')].filter((one) => one.labels.length === 0)")
        self.assertEqual(unlabelled, [])


class Site(InBrowser):
    """The pages around it, where they are built, too."""

    def setUp(self):
        self.site = options.page.parent
        if not (self.site / "index.html").exists():
            self.skipTest("only the page was built")

    def test_pages_fit_two_widths_and_ask_nobody_else(self):
        address = self.serve(self.site)
        for width in (1280, 400):
            self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                         {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
            self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.clearDeviceMetricsOverride", {})
            for page in ("", "docs/guide/", "api/fill_mask/", "docs/benchmarks/", "try-it/"):
                self.browser.get(address + page)
                self.wait("h1")
                self.shot(f"site-{page.strip('/').replace('/', '-') or 'start'}-{width}")
                wide = self.browser.execute_script("return document.documentElement.scrollWidth")
                self.assertLessEqual(wide, width, page)
                for one in self.browser.execute_script(
                        "return performance.getEntriesByType('resource').map((one) => one.name)"):
                    self.assertTrue(one.startswith((address, "data:")), one)

    def test_the_start_leads_to_the_page_that_runs_the_model(self):
        self.browser.get(self.serve(self.site) + "try-it/")
        self.wait("a.md-button")[0].click()
        self.wait(DRAWN["mask"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--shots", type=pathlib.Path, help="folder for pictures of the tabs")
    options, rest = parser.parse_known_args()
    options.page = options.page.resolve()
    unittest.main(argv=["page_test.py", *rest])
