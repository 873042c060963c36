/** Times are epoch milliseconds to the program, and `timestamptz` to PostgreSQL: turned on the way in here, and on the way out by the driver's parser. */
import {
  type BinaryOperationNode,
  ColumnNode,
  type ColumnUpdateNode,
  type InsertQueryNode,
  type KyselyPlugin,
  type OperationNode,
  OperationNodeTransformer,
  type PrimitiveValueListNode,
  type QueryId,
  ReferenceNode,
  type ValueListNode,
  type ValueNode,
  ValuesNode,
} from "kysely";

/** Whether a column is a `timestamptz`, by its name: `created_at`, `at`, `auth_time`. */
function isTimeColumn(name: string): boolean {
  return /(?:^|_)at$|^auth_time$/.test(name);
}

export const timesPlugin: KyselyPlugin = {
  transformQuery: ({ node, queryId }) => new TimesTransformer().transformNode(node, queryId),
  transformResult: async ({ result }) => result,
};

/** A number is a time where what it is stored in, or compared with, is a time's column. */
class TimesTransformer extends OperationNodeTransformer {
  /** Of the column that is spoken of, and of those around it. */
  readonly #isTime: boolean[] = [];

  override transformBinaryOperation(node: BinaryOperationNode, queryId?: QueryId): BinaryOperationNode {
    const column = columnIn(node.leftOperand);
    return this.#within(column, () => super.transformBinaryOperation(node, queryId));
  }

  override transformColumnUpdate(node: ColumnUpdateNode, queryId?: QueryId): ColumnUpdateNode {
    return this.#within(columnIn(node.column), () => super.transformColumnUpdate(node, queryId));
  }

  override transformInsertQuery(node: InsertQueryNode, queryId?: QueryId): InsertQueryNode {
    const { columns = [], values } = node;
    const inserted = super.transformInsertQuery(node, queryId);
    if (values === undefined || !ValuesNode.is(values)) return inserted;
    const isTime = columns.map(({ column }) => isTimeColumn(column.name));
    return { ...inserted, values: ValuesNode.create(values.values.map((row) => timesInRow(row, isTime))) };
  }

  override transformValue(node: ValueNode, queryId?: QueryId): ValueNode {
    const { value, ...rest } = super.transformValue(node, queryId);
    return { ...rest, value: this.#isTime.at(-1) === true ? toText(value) : value };
  }

  override transformPrimitiveValueList(node: PrimitiveValueListNode, queryId?: QueryId): PrimitiveValueListNode {
    const { values, ...rest } = super.transformPrimitiveValueList(node, queryId);
    return { ...rest, values: this.#isTime.at(-1) === true ? values.map(toText) : values };
  }

  #within<Node>(column: string | null, work: () => Node): Node {
    this.#isTime.push(column !== null && isTimeColumn(column));
    const node = work();
    this.#isTime.pop();
    return node;
  }
}

type Row = PrimitiveValueListNode | ValueListNode;

function timesInRow(row: Row, isTime: readonly boolean[]): Row {
  if (row.kind === "PrimitiveValueListNode") {
    return { ...row, values: row.values.map((value, index) => (isTime[index] ? toText(value) : value)) };
  }
  return { ...row, values: row.values.map((node, index) => (isTime[index] ? timeInNode(node) : node)) };
}

function timeInNode(node: OperationNode): OperationNode {
  if (node.kind !== "ValueNode") return node;
  const { value, ...rest } = node as ValueNode;
  return { ...rest, value: toText(value) } as ValueNode;
}

function columnIn(node: OperationNode): string | null {
  if (ColumnNode.is(node)) return node.column.name;
  return ReferenceNode.is(node) && ColumnNode.is(node.column) ? node.column.column.name : null;
}

function toText(value: unknown): unknown {
  return typeof value === "number" ? new Date(value).toISOString() : value;
}
