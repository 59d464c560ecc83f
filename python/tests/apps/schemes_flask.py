"""Every guard of `guards.py` on a view, and one whose body a form parser took before."""

from flask import Flask, request
from guards import GUARDS, judge, judged

from surehook.flask import Surehook, with_webhook_monitoring

app = Flask(__name__)
Surehook(app)


def view(delivery):
    return {"id": delivery.message_id, "type": delivery.event_type, "size": len(request.get_data())}


for guard, options in {**GUARDS, "consumed": GUARDS["clerk"]}.items():
    now = {"signature_verifier": judge} if guard == "judged" else {}
    decorate = with_webhook_monitoring(name=f"{guard} hooks", **options, **now)
    app.add_url_rule(f"/hooks/{guard}", guard, decorate(view), methods=["GET", "POST"])


@app.before_request
def parse_forms_early():
    if request.path == "/hooks/consumed":
        request.form.get("anything")


@app.get("/judged")
def calls_of_the_verifier():
    return judged
