"""Rules written as text, in the one form that is read back as the same rules."""

from bot.engine.routing.grammar import needs_quotes
from bot.model.rules import By, Condition, Field, Group, Join, Kind, Limit, Node, Op, Rules, Unknown, Value

_SIGNS = {Op.BELOW: "<", Op.ABOVE: ">", Op.AT_MOST: "<=", Op.AT_LEAST: ">="}
_DATE_WORDS = {Op.BELOW: "before", Op.ABOVE: "after", Op.AT_MOST: "until", Op.AT_LEAST: "since"}


def write(rules: Rules) -> str:
    """``parse(write(rules)) == rules`` for all rules that were checked when they were made."""
    parts = ["everything" if rules.where is None else _node(rules.where)]
    if rules.unknown is Unknown.INCLUDE:
        parts.append("unknown include")
    if rules.sort is not None:
        parts.append(f"sort by {rules.sort.field.label}{' desc' if rules.sort.descending else ''}")
    if rules.limit is not None:
        parts.append(_limit(rules.limit))
    return " ".join(parts)


def _node(node: Node) -> str:
    match node:
        case Condition():
            return _condition(node)
        case Group(join=Join.NONE, members=[member]):
            return f"not {_inner(member)}"
        case Group(join=Join.NONE, members=members):
            return f"none of ({', '.join(map(_node, members))})"
        case Group(join=join, members=[member]):
            return f"{join.value} of ({_node(member)})"
        case Group(join=join, members=members):
            return f" {'and' if join is Join.ALL else 'or'} ".join(map(_inner, members))


def _inner(node: Node) -> str:
    """A member of a group, in brackets where it would run into its neighbours."""
    runs = isinstance(node, Group) and node.join is not Join.NONE and len(node.members) > 1
    return f"({_node(node)})" if runs else _node(node)


def _condition(condition: Condition) -> str:
    field, op = condition.field, condition.op
    values = [_value(field, op, value) for value in condition.values]
    match op:
        case Op.MISSING:
            return f"{field.label} missing"
        case Op.IS if field.kind is Kind.FLAG:
            return field.label if condition.values[0] else f"{field.label} is no"
        case Op.IS:
            return f"{field.label} {'' if field.kind in (Kind.NUMBER, Kind.LENGTH) else 'is '}{values[0]}"
        case Op.IN:
            return f"{field.label} in ({', '.join(values)})"
        case Op.BETWEEN:
            return f"{field.label} {values[0]}..{values[1]}"
        case Op.LAST:
            return f"{field.label} in last {values[0]} days"
        case Op.THIS:
            return f"{field.label} {'today' if values[0] == 'day' else f'this {values[0]}'}"
        case Op.CONTAINS | Op.MATCHES:
            return f"{field.label} {op.value} {values[0]}"
        case _:
            return f"{field.label} {(_DATE_WORDS if field.kind is Kind.DATE else _SIGNS)[op]} {values[0]}"


def _value(field: Field, op: Op, value: Value) -> str:
    if field.kind is Kind.LENGTH:
        seconds = int(value)
        hours, minutes = divmod(seconds // 60, 60)
        return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
    if field.kind in (Kind.TEXT, Kind.NAMES) and needs_quotes(str(value)):
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _limit(limit: Limit) -> str:
    match limit.by:
        case By.ORDER:
            return f"limit {limit.count}"
        case By.RANDOM:
            return f"limit {limit.count} by random({limit.seed})"
        case _:
            return f"limit {limit.count} by {limit.by.value}"
