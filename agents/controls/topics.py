"""What a page can follow: everybody sees the stop banner."""

from console.kernel.live import topic

topic("controls", permission="")
