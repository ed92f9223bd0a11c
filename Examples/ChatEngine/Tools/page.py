#!/usr/bin/env python3
"""The page of an engine in headless Chromium: what a person does, and what the page shows.

Usage: page.py PROGRAM [FOLDER FOR SCREENSHOTS]
"""

import pathlib
import sys
import urllib.request

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from engine import Backend, Engine, token

HOSTILE = "<img src=x onerror=alert(1)><b>bold</b>"


class Page:
    """What a person does with the page."""

    def __init__(self, engine, shots):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1100,800"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService("/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(options=options, service=service)
        self.shots = shots
        self.driver.get(engine.root + "/")

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, what, condition):
        WebDriverWait(self.driver, 60, ignored_exceptions=[Exception]).until(lambda _: condition(), what)

    def texts(self):
        return [one.text for one in self.all("#path .content")]

    def shoot(self, name):
        if self.shots:
            self.driver.save_screenshot(str(self.shots / f"{name}.png"))

    def say(self, text):
        self.find("#text").send_keys(text)
        self.find("#go").click()

    def idle(self):
        self.wait("the stream ends", lambda: not self.find("#stop").is_displayed() and not self.all("#path .streaming"))

    def below(self, item, label):
        """A button below a message, counted from 0."""
        self.all("#path > li")[item].find_element(By.CSS_SELECTOR, f"[aria-label='{label}']").click()


def converse(page, backend):
    page.find("#token").send_keys(token())
    page.find("#signin button").click()
    page.wait("the types are listed", lambda: page.all("#types option"))
    page.shoot("1-signed-in")
    page.find("#create button").click()
    page.wait("a session is open", lambda: page.find("#send").is_displayed())
    page.say("What is free?")
    page.wait("the answer is there", lambda: page.texts() == ["What is free?", "hello"] and page.all(".below button"))
    page.idle()

    page.below(1, "Answer again")
    page.wait("there are two variants", lambda: [one.text for one in page.all(".place")] == ["2 of 2"])
    page.below(1, "Previous variant")
    page.wait("the first one is shown", lambda: [one.text for one in page.all(".place")] == ["1 of 2"])
    page.shoot("2-variants")
    # What is looked at is not the active path: the next message stands under it.
    page.say("Under the first")
    page.wait("it is answered", lambda: page.texts() == ["What is free?", "hello", "Under the first", "hello"])
    page.idle()
    assert [one.text for one in page.all(".place")] == ["1 of 2"]

    page.below(1, "Branch from here")
    page.say("A branch")
    page.wait("the branch is shown", lambda: page.texts() == ["What is free?", "hello", "A branch", "hello"])
    page.idle()
    assert [one.text for one in page.all(".place")] == ["1 of 2", "2 of 2"]
    page.shoot("3-branch")

    page.say(HOSTILE)
    page.wait("markup is text", lambda: HOSTILE in page.texts())
    page.idle()
    assert not page.all("#path img") and not page.all("#path b")

    backend.words, backend.pause = [f"{n} " for n in range(1000)], 0.1
    page.say("A long one")
    page.wait("it streams", lambda: page.all("#path .streaming") and "3 " in page.texts()[-1])
    page.shoot("4-streaming")
    page.find("#stop").click()
    page.wait("what came is kept", lambda: page.all("#path .incomplete"))
    page.idle()
    assert page.texts()[-1].startswith("0 1 2 3")
    page.shoot("5-stopped")
    backend.words, backend.pause = ("hel", "lo"), 0.0


def use(page, engine):
    page.below(1, "Like")
    page.wait("the reaction is taken", lambda: "like" in page.find("#notice").text)
    page.find("#query").send_keys("branches")
    page.find("#search button").click()
    page.wait("stems are found", lambda: [one.text for one in page.all("#hits li")] == ["A branch"])

    for name in ("markdown", "json"):
        Select(page.find("#format")).select_by_value(name)
        page.find("#export").click()
        page.wait("there is a link", lambda: page.find("#link a").text.startswith(engine.base + "/exports/"))
        with urllib.request.urlopen(page.find("#link a").get_attribute("href")) as file:
            assert b"A branch" in file.read()
        page.driver.execute_script("document.getElementById('link').replaceChildren()")
    page.find("#share").click()
    page.wait("there is a link", lambda: page.find("#link a").text.startswith(engine.base + "/share/"))
    with urllib.request.urlopen(page.find("#link a").get_attribute("href")) as view:
        assert b'"read_only":true' in view.read()
    page.shoot("6-shared")

    page.find("#summary").click()
    page.wait("the summary is the title", lambda: page.find("#title").text == "in short")
    # The page comes back as it was.
    page.driver.refresh()
    page.wait("the session is remembered", lambda: page.all("#sessions button"))
    page.find("#sessions button").click()
    page.wait("its path is shown", lambda: "A branch" in page.texts())
    page.find("#delete").click()
    page.wait("it is gone", lambda: not page.find("#send").is_displayed() and not page.all("#sessions button"))

    page.driver.execute_script("sessionStorage.setItem('token', 'x')")
    page.driver.refresh()
    page.wait("a wrong token is refused", lambda: "AUTH_REQUIRED" in page.find("#notice").text)


def main(program, shots=None):
    shots = pathlib.Path(shots) if shots else None
    backend = Backend()
    engine = Engine(program, backend).start()
    page = Page(engine, shots)
    try:
        converse(page, backend)
        use(page, engine)
        wrong = [one for one in page.driver.get_log("browser") if "401" not in one["message"]]
        assert not wrong, wrong
    except Exception:
        page.shoot("failed")
        print(page.texts(), page.find("#notice").text, file=sys.stderr)
        raise
    finally:
        page.driver.quit()
    engine.stop()
    print("the page: signing in, streaming, stopping, variants, branches, search, export, share, summary")


if __name__ == "__main__":
    main(*sys.argv[1:])
