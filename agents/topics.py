"""What a page of this app can follow, and who may."""

from console.kernel.live import topic

topic("runs.list", permission="runs.view")
topic("run", permission="runs.view")
topic("conversation", permission="runs.view")
