"""LiteRT's chatter stays out of the log; everything else goes through."""

import os

import pytest

from services.pose.native_log import KNOWN_NOISE, without_known_noise


def test_only_the_known_noise_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with without_known_noise():
        for noise in KNOWN_NOISE:
            os.write(2, b"W0000 " + noise + b" and more\n")
        os.write(2, b"E0000 something that matters\n")
        assert capfd.readouterr().err == ""
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "E0000 something that matters\nafterwards\n"


def test_what_was_held_back_comes_out_when_loading_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with without_known_noise():
            os.write(2, b"why it failed\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert capfd.readouterr().err == "why it failed\n"
