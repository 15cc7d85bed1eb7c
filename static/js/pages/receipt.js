/** What came of the vote on the page before, told on the page that follows. */

const told = JSON.parse(sessionStorage.getItem("sb:receipt"));
sessionStorage.removeItem("sb:receipt");
const line = document.createElement("p");
line.className = "notice";
line.setAttribute("role", "status");
line.dataset.tone = "clear";
const link = document.createElement("a");
link.href = told.href;
link.textContent = told.title;
line.append(`Vote recorded ${told.at}, event ${told.event_uid.slice(0, 8)}: `, link, " ", told.remark ?? "");
document.querySelector(".main")?.prepend(line);
