"""Cameras: picamera2, V4L2 through OpenCV, `rpicam-jpeg`, or a folder replayed as if it were one.

None of the three is a dependency: the first that is there and answers is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from edge_runtime.errors import DeviceError, Failure, UsageError
from edge_runtime.quiet import native_output_hidden
from edge_runtime.sources import expand, is_folder

if TYPE_CHECKING:
    from edge_runtime.image import ImageSource

T = TypeVar("T")

WIDTH, HEIGHT = 640, 480  # more than any model here needs, little for a small device
TIMEOUT_S: Final = 10.0  # for one picture
_SETTLE_MS = 500  # rpicam-jpeg starts anew for each picture: exposure and white balance need this


class Camera(Protocol):
    """Gives pictures, one when asked."""

    @property
    def name(self) -> str | None:
        """What results call it; None where the pictures have names of their own."""
        ...

    def picture(self) -> ImageSource | None:
        """The newest picture, or None where there will be no more.

        Raises:
            DeviceError: the camera does not answer.
        """
        ...

    def close(self) -> None:
        """Let others have the camera."""
        ...


def open_camera(which: str) -> Camera:
    """Open a camera.

    Args:
        which: its number, `rpicam` for the command of that name, or a folder to replay.

    Raises:
        UsageError: `which` is none of these.
        DeviceError: there is no such camera, or nothing here that can talk to it.
    """
    if is_folder(which):
        return Replay(which)
    if which == "rpicam":
        return RpicamJpeg(0)
    if not which.isdecimal():
        raise UsageError(f"camera {which} is no number, not `rpicam`, and no folder of pictures")
    reasons = []
    for kind in (Picamera, V4L2, RpicamJpeg):
        try:
            return kind(int(which))
        except DeviceError as error:
            reasons.append(str(error))
    raise DeviceError(f"camera {which} cannot be opened: {'; '.join(reasons)}")


class Replay:
    """The pictures of a folder, one after the other, once."""

    name = None

    def __init__(self, folder: str) -> None:
        found = expand([folder])
        if isinstance(found[0], Failure):
            raise DeviceError(found[0].message)
        self._paths = iter(found)

    def picture(self) -> ImageSource | None:
        """The next path."""
        path = next(self._paths, None)
        assert not isinstance(path, Failure)
        return path

    def close(self) -> None:
        """Show no more."""
        self._paths = iter(())


class Picamera:
    """Raspberry Pi's own library. It comes with the system, not from an index of packages."""

    def __init__(self, number: int) -> None:
        self.name = f"camera {number}"
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
        self._camera = _within(self.name, lambda: self._open(number))

    def _open(self, number: int) -> Any:
        try:
            from picamera2 import Picamera2
        except ModuleNotFoundError as error:
            raise DeviceError(
                "picamera2 is not installed here (`sudo apt install python3-picamera2`, and an "
                "environment made with --system-site-packages)"
            ) from error
        with native_output_hidden():
            camera = Picamera2(number)
            # Its names are those of the kernel: BGR888 gives arrays in the order R, G, B.
            main = {"size": (WIDTH, HEIGHT), "format": "BGR888"}
            camera.configure(camera.create_video_configuration(main=main))
            camera.start()
        return camera

    def picture(self) -> ImageSource:
        """RGB, uint8 0..255, shape (height, width, 3)."""
        array: ImageSource = _within(self.name, lambda: self._camera.capture_array("main"))
        return array

    def close(self) -> None:
        """Let others have the camera."""
        with suppress(Exception):  # it is on its way out
            self._camera.stop()
            self._camera.close()


class V4L2:
    """A USB camera, through OpenCV."""

    def __init__(self, number: int) -> None:
        self.name = f"camera {number}"
        self._capture = _within(self.name, lambda: self._open(number))

    def _open(self, number: int) -> Any:
        try:
            import cv2
        except ModuleNotFoundError as error:
            raise DeviceError(
                "OpenCV is not installed (`sudo apt install python3-opencv`)"
            ) from error
        with native_output_hidden():
            capture = cv2.VideoCapture(number, cv2.CAP_V4L2)
        if not capture.isOpened():
            raise DeviceError(f"OpenCV finds nothing at /dev/video{number}")
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture

    def picture(self) -> ImageSource:
        """RGB, uint8 0..255, shape (height, width, 3)."""
        return _within(self.name, self._read)

    def _read(self) -> ImageSource:
        self._capture.grab()  # what waits in the buffer is as old as the last question
        there, blue_green_red = self._capture.read()
        if not there:
            raise DeviceError(f"{self.name} gives no picture; check its plug")
        return blue_green_red[:, :, ::-1]  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let others have the camera."""
        self._capture.release()


class RpicamJpeg:
    """The command of rpicam-apps: slow, since it starts for each picture, but without any binding."""

    _COMMANDS = ("rpicam-jpeg", "libcamera-jpeg")  # today's name, and that of older systems

    def __init__(self, number: int) -> None:
        self.name = f"camera {number}"
        command = next(filter(None, map(shutil.which, self._COMMANDS)), None)
        if command is None:
            raise DeviceError("rpicam-jpeg is not installed (`sudo apt install rpicam-apps`)")
        size = ["--width", str(WIDTH), "--height", str(HEIGHT)]
        self._command = [command, "--camera", str(number), "--nopreview", *size]
        self._command += ["--timeout", str(_SETTLE_MS), "--output", "-"]

    def picture(self) -> ImageSource:
        """The bytes of a JPEG."""
        try:
            done = subprocess.run(  # noqa: S603  a fixed command, found on the PATH
                self._command, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise DeviceError(_silence(self.name)) from error
        if done.returncode or not done.stdout:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            reason = "".join(said) or "it does not say why; check the camera's cable"
            raise DeviceError(f"{Path(self._command[0]).name} gives no picture: {reason}")
        return done.stdout

    def close(self) -> None:
        """Nothing is kept open between pictures."""


def _within(name: str, function: Callable[[], T]) -> T:
    """What `function` gives; a camera that was unplugged may never come back from it."""
    answer: Future[T] = Future()

    def ask() -> None:
        try:
            answer.set_result(function())
        except DeviceError as error:
            answer.set_exception(error)
        # Drivers and bindings raise anything, and every one of it means no picture.
        except Exception as error:  # noqa: BLE001
            reason = f"{name} does not answer: {type(error).__name__}: {error}"
            answer.set_exception(DeviceError(reason))

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.result(TIMEOUT_S)
    except TimeoutError as error:
        raise DeviceError(_silence(name)) from error


def _silence(name: str) -> str:
    return f"{name} does not answer within {TIMEOUT_S:g} s; check its cable, and who else uses it"
