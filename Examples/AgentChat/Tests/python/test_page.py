"""The page in a real browser: what a person does, what an attacker writes, what a screen reader hears."""

import json
import os
import shutil
import tempfile
import time
import unittest
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from service import HERE, SCRIPTS, Service

PATIENCE = int(os.environ.get("PATIENCE", "60"))
PICTURES = Path(os.environ.get("PICTURES", str(HERE.parents[3] / ".build-examples/pictures")))
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
MARKUP = "<img src=x onerror=document.title='broken'><script>document.title='broken'</script>"
HOSTILE = {"turns": [
    {"match": "long", "steps": [{"repeat": 15, "steps": [{"text": "0123456789abcde\n" * 4_000, "characters": 64_000, "pause_ms": 0}]}]},
    {"steps": [
        {"reasoning": MARKUP, "pause_ms": 0}, {"text": MARKUP + " \u202egnp.exe", "pause_ms": 0},
        {"part": {"type": "source-url", "sourceId": "s", "url": "javascript:document.title='broken'", "title": "a script"}},
        {"part": {"type": "source-url", "sourceId": "t", "url": "https://good.example/x", "title": "a link"}},
        {"part": {"type": "file", "mediaType": "text/html", "url": "data:text/html,<script>1</script>", "filename": "\u202egnp.exe"}},
        {"part": {"type": "file", "mediaType": "image/svg+xml", "url": "data:image/svg+xml,<svg onload='1'/>", "filename": "a.svg"}},
        {"part": {"type": "file", "mediaType": "image/png", "url": PIXEL, "filename": "a picture"}},
        {"part": {"type": "file", "mediaType": "image/png", "url": "https://elsewhere.example/track.png", "filename": "b.png"}},
        {"part": {"type": "data-" + MARKUP, "data": {MARKUP: MARKUP}}},
        {"tool": {"name": "t", "title": MARKUP, "input": {MARKUP: MARKUP}, "output": MARKUP, "pause_ms": 0}},
    ]},
]}


# A story that lasts until it is stopped.
SLOW = {"turns": [
    {"match": "story", "steps": [{"repeat": 4000, "steps": [{"text": "The sun was shining. ", "pause_ms": 60}]}]},
    {"steps": [{"text": "Take an umbrella."}]},
]}


class PageTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        PICTURES.mkdir(parents=True, exist_ok=True)
        cls.folder = tempfile.TemporaryDirectory()
        cls.hostile = Path(cls.folder.name, "hostile.json")
        cls.hostile.write_text(json.dumps(HOSTILE), encoding="utf-8")
        cls.slow = Path(cls.folder.name, "slow.json")
        cls.slow.write_text(json.dumps(SLOW), encoding="utf-8")

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        cls.folder.cleanup()

    def begin(self, agent=f"script:{SCRIPTS / 'booking.json'}", **options):
        self.service = Service(agent, **options).start()
        self.addCleanup(self.service.close)
        self.browser.get(self.service.page)
        self.browser.execute_script("sessionStorage.clear()")
        self.browser.get_log("browser")
        self.look(1280, 860, "light")

    def look(self, width, height, scheme):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def picture(self, name):
        time.sleep(0.2)
        self.browser.save_screenshot(str(PICTURES / f"{name}.png"))

    def wait(self, condition, what):
        return WebDriverWait(self.browser, PATIENCE, 0.05).until(lambda _: condition(), what)

    def script(self, code, *arguments):
        return self.browser.execute_script(f"return {code}", *arguments)

    def text(self):
        return self.script("document.getElementById('log').innerText")

    def wait_text(self, text):
        self.wait(lambda: text in self.text(), f"{text!r} in the log")

    def ready(self):
        self.wait(lambda: self.script("document.getElementById('status').textContent") == "Connected", "connected")

    def say(self, text):
        self.ready()
        self.browser.find_element(By.ID, "text").send_keys(text + Keys.ENTER)

    def press(self, name):
        """Presses a button by its name, as a person would who only has a keyboard."""
        find = "[...document.querySelectorAll('button')].find(b => b.textContent === arguments[0] && !b.disabled && b.offsetParent)"
        button = self.wait(lambda: self.script(find, name), name)
        self.script("arguments[0].focus()", button)
        button.send_keys(Keys.ENTER)

    def idle(self):
        self.wait(lambda: self.script("document.getElementById('stop').hidden"), "the end of the job")

    def ask_and_answer(self):
        self.say("Book a table for two, please")
        self.wait(lambda: self.browser.find_elements(By.ID, "questions"), "questions")
        self.picture("questions")
        self.browser.find_elements(By.CSS_SELECTOR, "#questions input[type=radio]")[1].click()
        self.browser.find_element(By.CSS_SELECTOR, "#questions input[type=text]").send_keys("Saro")
        self.press("Answer")
        self.wait_text("waits for you")
        self.idle()

    def test_a_card_of_approval_hides_nothing(self):
        files = HERE.parents[1] / "Sources/AgentChatServer/Page"
        scripts = "".join((files / name).read_text("utf-8") for name in ("protocol.js", "view.js", "app.js"))
        page = Path(self.folder.name, "page.html")
        page.write_text((files / "page.html").read_text("utf-8") + f"<script>{scripts}</script>", encoding="utf-8")
        values = {f"k{number}": number for number in range(63)}
        values |= {"sum": 9007199254740993, "to": "a\u202eb", "long": "x" * 3_000 + "END"}
        frame = json.dumps({"type": "stream", "message_id": "a", "delta": {
            "type": "tool-pay", "toolCallId": "c", "state": "approval-requested", "approval": {"id": "p"}, "input": values}})
        self.browser.get(f"file://{page}")
        card, answer, asked = self.browser.execute_script("""
            const part = read(arguments[0]).delta;
            const form = questions({questions: [{id: "q", text: "\\u202Eone", options: [{id: "o", label: "\\u202Eyes"}]}]});
            return [element(part, {id: "a"}).textContent, JSON.stringify(part), form.textContent];""", frame)
        for seen in ("k62", "9007199254740993", "a⟨U+202E⟩b", "END"):
            self.assertIn(seen, card)
        self.assertIn("9007199254740993", answer)
        self.assertEqual(asked, "⟨U+202E⟩one⟨U+202E⟩yesAnswer")

    def test_a_table_is_booked_and_the_page_reloaded(self):
        self.begin()
        self.ask_and_answer()
        self.picture("approval-wide-light")
        self.look(1280, 860, "dark")
        self.picture("approval-wide-dark")
        self.look(390, 780, "light")
        self.picture("approval-narrow-light")
        self.look(390, 780, "dark")
        self.picture("approval-narrow-dark")
        self.look(1280, 860, "light")
        self.browser.refresh()
        self.wait_text("waits for you")
        self.press("Approve")
        self.wait_text("Done: table 7 at Chez Raya, Saturday at eight, for Saro.")
        self.idle()
        self.picture("booked")
        self.browser.refresh()
        self.wait_text("Done: table 7 at Chez Raya")
        self.assertIn("R-1871", self.text())
        self.assertEqual(self.text().count("Book a table for two, please"), 1)
        self.tree()

    def tree(self):
        """The accessibility tree has names and roles for what a person needs."""
        nodes = self.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        pairs = {(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes
                 if not node.get("ignored") and "role" in node}
        for pair in [("log", "Messages"), ("textbox", "Message"), ("button", "Send"), ("button", "New chat"),
                     ("navigation", "Chats"), ("article", "Agent"), ("article", "You"), ("form", "Write a message")]:
            self.assertIn(pair, pairs)
        nameless = [role for role, name in pairs if role in ("button", "textbox", "link") and not name]
        self.assertEqual(nameless, [])

    def test_a_refusal(self):
        self.begin()
        self.ask_and_answer()
        self.press("Refuse")
        self.wait_text("Then I leave it.")
        self.assertIn("refused", self.text())

    def test_a_story_is_added_to_and_stopped(self):
        self.begin()
        self.say("Tell me a story")
        self.wait_text("The sun was shining")
        self.browser.find_element(By.ID, "text").send_keys("more moon" + Keys.ENTER)
        self.wait_text('You said "more moon".')
        self.picture("injected")
        self.browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
        self.wait_text("Stopped.")
        self.idle()
        self.assertLess(self.text().count("The sun was shining"), 80)
        self.say("fail")
        self.wait_text("The answer failed: the reservation service does not answer")
        self.picture("failed")

    def test_the_service_is_killed_and_started_again(self):
        self.begin()
        self.say("Tell me a story")
        self.wait_text("The sun was shining")
        self.service.kill()
        self.wait(lambda: "lost" in self.script("document.getElementById('status').textContent"), "lost")
        self.picture("lost")
        self.service.start()
        self.ready()
        self.idle()
        self.say("weather")
        self.wait_text("Take an umbrella.")
        self.assertEqual(self.text().count("Tell me a story"), 1)
        self.assertIn("closed on Sundays", self.text())

    def test_a_connection_that_is_lost_in_a_job_goes_on(self):
        self.begin()
        self.say("Tell me a story")
        self.wait_text("The sun was shining")
        self.script("socket.close()")
        self.ready()
        before = len(self.text())
        self.wait(lambda: len(self.text()) > before + 100, "more text")
        self.assertFalse(self.script("document.getElementById('stop').hidden"))
        self.press("Stop")
        self.wait_text("Stopped.")

    def test_a_message_is_written_anew(self):
        self.begin()
        self.say("weather")
        self.wait_text("umbrella")
        self.idle()
        self.say("fail")
        self.wait_text("The answer failed")
        self.press("Edit")
        self.browser.find_element(By.ID, "text").send_keys(Keys.CONTROL + "a")
        self.say("the weather again")
        self.wait(lambda: self.text().count("umbrella") == 2, "two answers")
        self.idle()
        self.assertNotIn("The answer failed", self.text())
        self.picture("edited")
        self.browser.refresh()
        self.wait_text("the weather again")
        self.assertNotIn("fail\n", self.text())

    def test_two_windows_show_the_same(self):
        self.begin()
        self.say("weather")
        self.wait_text("umbrella")
        first, address = self.browser.current_window_handle, self.browser.current_url
        self.browser.switch_to.new_window("window")
        second = self.browser.current_window_handle
        try:
            self.browser.get(address)
            self.wait_text("umbrella")
            self.say("Book a table in window two")
            self.wait(lambda: self.browser.find_elements(By.ID, "questions"), "questions")
            self.browser.switch_to.window(first)
            self.wait_text("Book a table in window two")
            self.wait(lambda: self.browser.find_elements(By.ID, "questions"), "questions")
            self.press("Stop")
            self.idle()
            self.browser.switch_to.window(second)
            self.idle()
            self.assertEqual(self.browser.find_elements(By.ID, "questions"), [])
        finally:
            self.browser.close() if self.browser.current_window_handle != first else None
            self.browser.switch_to.window(first)

    def test_a_lost_race_of_two_windows_loses_no_message(self):
        """Both submit before they hear of the other; the one that is refused takes the run for its own at first."""
        self.begin(f"script:{self.slow}")
        self.ready()
        first, address = self.browser.current_window_handle, self.browser.current_url
        self.browser.switch_to.new_window("window")
        second = self.browser.current_window_handle
        try:
            self.browser.get(address)
            self.ready()
            self.browser.execute_script("window.held = []; window.hear = receive; receive = text => held.push(text);")
            self.browser.switch_to.window(first)
            self.say("Tell me a story")
            self.wait_text("The sun was shining")
            self.browser.switch_to.window(second)
            self.say("weather")
            self.wait(lambda: self.script("held.some(text => text.includes('busy'))"), "a refusal")
            self.browser.execute_script("receive = hear; held.forEach(receive);")
            self.wait_text("Tell me a story")
            self.assertIn("weather", self.text())
            self.assertNotIn("Take an umbrella.", self.text())
            self.press("Stop")
            self.wait_text("Take an umbrella.")
            self.idle()
            self.browser.switch_to.window(first)
            self.wait_text("Take an umbrella.")
            for window in (first, second):
                self.browser.switch_to.window(window)
                self.idle()
                self.assertEqual(self.text().count("Tell me a story"), 1)
                self.assertEqual(self.text().count("weather"), 1)
                self.assertIsNone(self.script("sessionStorage.getItem(`pending ${chat.id}`)"))
                self.assertNotIn("Not sent", self.text())
        finally:
            self.browser.switch_to.window(second)
            self.browser.close()
            self.browser.switch_to.window(first)

    def test_hostile_content_is_text(self):
        self.begin(f"script:{self.hostile}")
        self.say(MARKUP)
        self.wait_text("done")
        self.idle()
        self.picture("hostile")
        self.assertNotEqual(self.browser.title, "broken")
        self.assertEqual(self.script("document.querySelectorAll('#log script, #log iframe, #log object, #log svg').length"), 0)
        links = self.script("[...document.querySelectorAll('#log a')].map(a => a.href)")
        self.assertEqual(links, ["https://good.example/x", "https://elsewhere.example/track.png"])
        images = self.script("[...document.querySelectorAll('#log img')].map(a => a.src)")
        self.assertEqual(images, [PIXEL])
        self.assertIn("⟨U+202E⟩gnp.exe", self.text())
        self.assertNotIn("\u202e", self.text())
        self.assertIn(MARKUP, self.text())
        policy = self.script("fetch('/').then(r => r.headers.get('content-security-policy'))")
        self.assertIn("default-src 'none'", policy)
        severe = [line for line in self.browser.get_log("browser") if line["level"] == "SEVERE"]
        self.assertEqual(severe, [])

    def test_a_megabyte_of_text(self):
        self.begin(f"script:{self.hostile}")
        self.say("long")
        self.wait(lambda: self.script("document.querySelector('.assistant .text')?.textContent.length") == 15 * 64_000, "1 MB")
        self.idle()
        self.browser.refresh()
        self.wait(lambda: self.script("document.querySelector('.assistant .text')?.textContent.length") == 15 * 64_000, "1 MB")

    def test_a_token_is_asked_for(self):
        self.begin(token="a token of Saro's")
        self.wait(lambda: not self.script("document.getElementById('entrance').hidden"), "the entrance")
        self.picture("entrance")
        self.browser.find_element(By.ID, "token").send_keys("a token of Saro's" + Keys.ENTER)
        self.say("weather")
        self.wait_text("umbrella")


if __name__ == "__main__":
    unittest.main()
