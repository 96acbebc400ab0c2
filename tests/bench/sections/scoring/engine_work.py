"""One engine over the same accounts, in a process and an environment of its own; knows nothing of ours.

`python -S engine_work.py ENGINE EXPRESSION.json ACCOUNTS.json` prints the processor seconds and a digest of
all scores.
"""

import gc
import hashlib
import json
import sys
import time
from math import floor


def datalogic(expression):
    from datalogic_py import Engine

    engine = Engine()
    rule, session = engine.compile(expression), engine.session()
    return lambda account: session.evaluate(rule, account)


def zen(expression):
    import zen

    return zen.compile_expression(expression).evaluate


def zen_graph(expression):
    import zen

    decision = zen.ZenEngine().create_decision(expression)
    return lambda account: decision.evaluate(account)["result"]["score"]


def rule_engine(expression):
    import rule_engine

    context = rule_engine.Context(default_value=None)
    rule = rule_engine.Rule(expression, context=context)
    return lambda account: float(rule.evaluate(account))


def cel_rust(expression):
    import cel

    program = cel.compile(expression)
    return lambda account: program.execute({"a": account})


def cel_cpp(expression):
    from cel_expr_python import cel

    env = cel.NewEnv(variables={"a": cel.Type.DYN})
    program = env.compile(expression)
    return lambda account: program.eval(data={"a": account}).value()


def cel_python(expression):
    import celpy
    from celpy.adapter import json_to_cel

    env = celpy.Environment()
    program = env.program(env.compile(expression))
    return lambda account: float(program.evaluate({"a": json_to_cel(account)}))


def panzi(expression):
    from json_logic import jsonLogic

    return lambda account: jsonLogic(expression, account)


def qubit(expression):
    from json_logic import jsonLogic

    return lambda account: jsonLogic(expression, account)


def main(name, expression, accounts):
    with open(expression, encoding="utf-8") as file:
        score = globals()[name](json.load(file))
    with open(accounts, encoding="utf-8") as file:
        accounts = json.load(file)
    gc.disable()  # as ours
    began = time.process_time()
    scores = [score(account) for account in accounts]
    seconds = time.process_time() - began
    said = ",".join(str(floor(points + 0.5 + 1e-9)) for points in scores)
    print(json.dumps({"seconds": seconds, "digest": hashlib.sha256(said.encode()).hexdigest()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
