"""What pages of the trail can follow, and who may."""

from console.kernel.live import topic

# Content-free; the page behind it shows the reader's own tenant.
topic("audit.alarms", permission="audit.view")
