"""OTLP, as JSON and as protobuf: from bytes to items, from items to calls, from calls to exchanges.

``json_items`` and ``wire`` give Items of either encoding, ``calls`` joins what belongs to one span,
``genai`` and ``openinference`` know the names of attributes.
"""
