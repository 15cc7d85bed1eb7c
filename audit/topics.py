"""What pages of the trail can follow, and who may; hints hold no content."""

from console.kernel.live import topic

topic("audit.alarms", permission="audit.view")
topic("audit.sealed", permission="audit.view")
