"""The messages of one session (section 8): a forest that grows and never changes.

>>> tree = Tree()
>>> _ = tree.send("u1", "a1"); tree.finish("a1")
>>> _ = tree.recreate("a1", "a2"); tree.finish("a2")
>>> tree.path(), tree.variants("a1")
(['u1', 'a2'], (['a1', 'a2'], 1))
"""

from dataclasses import dataclass, field

from . import Violation


@dataclass
class Node:
    """A message; `hidden` is empty, user, llm or both."""

    name: str
    parent: str | None
    role: str
    index: int
    says: bool = True
    complete: bool = True
    active: bool = False
    hidden: str = ""


@dataclass
class Tree:
    """The forest, and the answers under way: name to parent and purpose."""

    nodes: dict[str, Node] = field(default_factory=dict)
    running: dict[str, tuple[str, str]] = field(default_factory=dict)

    def group(self, parent: str | None) -> list[Node]:
        """Siblings in order of their indexes."""
        return sorted((node for node in self.nodes.values() if node.parent == parent), key=lambda node: node.index)

    def line(self, name: str | None) -> list[Node]:
        """From the root to a message."""
        line: list[Node] = []
        while name is not None:
            line.insert(0, self.nodes[name])
            name = self.nodes[name].parent
        return line

    def active(self) -> list[Node]:
        """From the root through the active sibling of each group."""
        path: list[Node] = []
        while following := [node for node in self.group(path[-1].name if path else None) if node.active]:
            path.append(following[0])
        return path

    def history(self, name: str | None) -> list[Node]:
        """What a backend gets (CE-31)."""
        return [node for node in self.line(name) if node.hidden not in ("llm", "both") and node.says]

    def visible(self, name: str) -> Node:
        node = self.nodes.get(name)
        if node is None or node.hidden in ("user", "both"):
            raise Violation("CE-24", "no such message", 404)
        return node

    def add(self, name: str, parent: str | None, role: str, **more: object) -> Node:
        index = max((node.index for node in self.group(parent)), default=-1) + 1
        self.nodes[name] = node = Node(name, parent, role, index, **more)  # type: ignore[arg-type]
        return node

    def activate(self, name: str) -> None:
        for sibling in self.group(self.nodes[name].parent):
            sibling.active = sibling.name == name

    def lead_to(self, name: str) -> None:
        for node in self.line(name):
            self.activate(node.name)

    def send(self, name: str, reply: str, parent: str | None = None, guest: bool = False) -> list[str]:
        """Stores what a person says; gives the history that the backend gets."""
        usual = next((node.name for node in reversed(self.active()) if node.role != "user"), None)
        if parent is None:
            parent = usual
        elif parent in self.running:
            raise Violation("CE-25", "the parent is still being generated")
        elif self.visible(parent).role == "user":
            raise Violation("CE-25", "the parent is a message of a user")
        elif guest and parent != usual:
            raise Violation("CE-35", "a guest answers the last message")
        history = [node.name for node in self.history(parent)]
        self.add(name, parent, "user")
        if not guest:
            self.lead_to(name)
        self.running[reply] = (name, "send")
        return history

    def recreate(self, name: str, reply: str) -> list[str]:
        """Begins another answer; gives the history that the backend gets."""
        node = self.visible(name)
        if node.role != "assistant" or node.parent is None:
            raise Violation("CE-26", "no answer of an assistant")
        self.running[reply] = (node.parent, "recreate")
        return [one.name for one in self.history(node.parent)]

    def finish(self, reply: str, complete: bool = True, says: bool = True, hidden: str = "") -> None:
        """Ends an answer, and stores what there is of it."""
        parent, purpose = self.running.pop(reply)
        if not complete and not says:
            return
        self.add(reply, parent, "assistant", complete=complete, says=says, hidden=hidden)
        if purpose == "send":
            self.activate(reply)
        elif complete:
            self.lead_to(reply)

    def visible_names(self) -> list[str]:
        """What a client sees, in order of creation."""
        return [name for name, node in self.nodes.items() if node.hidden not in ("user", "both")]

    def path(self) -> list[str]:
        """The active path as a client sees it."""
        return [node.name for node in self.active() if node.hidden not in ("user", "both")]

    def variants(self, name: str) -> tuple[list[str], int]:
        """Those of one role under one parent, and which is the current one."""
        node = self.visible(name)
        group = [
            one for one in self.group(node.parent) if one.role == node.role and one.hidden not in ("user", "both")
        ]
        current = next((place for place, one in enumerate(group) if one.active), None)
        return [one.name for one in group], group.index(node) if current is None else current
