"""Texts that try to run, to break out, to hide or to flood."""

from __future__ import annotations

RUN = "document.title='PWNED'"

PAYLOADS: dict[str, str] = {
    "script": f"<script>{RUN}</script>",
    "end_script": f"</script><script>{RUN}</script>",
    "handler": f"<img src=x onerror={RUN}>",
    "svg": f"<svg onload={RUN}>",
    "attribute": f'" onmouseover="{RUN}" autofocus onfocus="{RUN}" data-pwned="1',
    "marker": "'><b data-pwned=1>x</b>",
    "link": f"<a href=javascript:{RUN} data-pwned=1>x</a>",
    "javascript": f"javascript:{RUN}//",
    "comment": "<!--<script>",
    "style": "</style><style>body{display:none}</style>",
    "frame": f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    "foreign": f"</svg><foreignObject><body onload={RUN}>",
    "cdata": f"]]><script>{RUN}</script>",
    "fetch": f"<img src=x onerror=\"fetch('file:///etc/hostname').then(()=>{RUN})\">",
    "template": "{{7*7}}{% for x in [] %}{{self}}",
    "expression": f"']+constructor.constructor(\"{RUN}\")()+datum['",
    "signal": f'"+warn(1)+"{{signal:{RUN}}}',
    "bidi": "\u202eevil\u2066\u2069\u200b\ufeff\u2028\u2029\U000e0041",
    "control": "\0\x1b]0;owned\x07\r\n\t\x08\x7f\x9b",
    "markdown": "[x](javascript:alert(1)) ![x](http://a.test/x.png) <http://b.test>\n# H | `x`",
    "formula": '=HYPERLINK("http://a.example")',
}
