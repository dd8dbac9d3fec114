from reward_server.memory import Memory


def test_the_least_recently_used_goes_first():
    """When there is no room, what was not asked for longest is forgotten."""
    memory = Memory(3)
    for key in "abc":
        memory.put(key, key.upper(), 1)
    memory.get("a")
    memory.put("d", "D", 1)
    assert [memory.get(key) for key in "abcd"] == ["A", None, "C", "D"]


def test_weights_are_bounded_together():
    """A heavy value takes the place of several light ones."""
    memory = Memory(10)
    for key in range(10):
        memory.put(key, key, 1)
    memory.put("heavy", "x", 8)
    assert len(memory) == 3
    assert memory.get("heavy") == "x"


def test_what_weighs_too_much_is_not_kept():
    """A value heavier than the whole memory displaces nothing."""
    memory = Memory(10)
    memory.put("a", 1, 5)
    memory.put("b", 2, 11)
    assert (memory.get("a"), memory.get("b")) == (1, None)


def test_replacing_a_value_frees_its_weight():
    """The weight of a replaced or forgotten value counts no more."""
    memory = Memory(10)
    for _ in range(5):
        memory.put("a", 1, 6)
    memory.put("b", 2, 4)
    memory.forget("a")
    memory.put("c", 3, 6)
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (None, 2, 3)


def test_a_memory_of_nothing_keeps_nothing():
    """With no room, nothing is kept."""
    memory = Memory(0)
    memory.put("a", 1, 1)
    assert memory.get("a") is None
