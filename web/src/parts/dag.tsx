// Tables and what reads what, laid out from left to right. Loaded only where a graph is shown.
import dagre from '@dagrejs/dagre';
import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { memo, useMemo } from 'react';
import { useLocation } from 'wouter';
import type { Graph, GraphNode } from '../api/schema';
import { to } from './address';
import { Sign } from './status';
import { STATUS_WORDS, type AnyStatus } from './words';

const WIDTH = 190;
const HEIGHT = 52;

type DagNode = Node<{ node: GraphNode; chosen: boolean; status: AnyStatus }, 'table'>;

const TableNode = memo(function TableNode({ data: { node, chosen, status } }: NodeProps<DagNode>) {
  return (
    <div className={`dag-node s-${status} ${chosen ? 'dag-chosen' : ''}`} title={[node.table, node.description].filter(Boolean).join(': ')}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="dag-name">{node.table}</span>
      <span className="dag-state">
        <Sign status={status} size={12} /> {STATUS_WORDS[status]} <span className="dim">· {node.kind}</span>
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});

const TYPES = { table: TableNode };

function place(graph: Graph, chosen: string | undefined): { nodes: DagNode[]; edges: Edge[] } {
  const layout = new dagre.graphlib.Graph();
  layout.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 54 });
  layout.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) layout.setNode(node.table, { width: WIDTH, height: HEIGHT });
  for (const [from, into] of graph.edges) layout.setEdge(from!, into!);
  dagre.layout(layout);
  return {
    nodes: graph.nodes.map((node): DagNode => {
      const { x, y } = layout.node(node.table) as { x: number; y: number };
      const status = node.last?.status ?? 'never';
      return {
        id: node.table,
        type: 'table',
        position: { x: x - WIDTH / 2, y: y - HEIGHT / 2 },
        width: WIDTH,
        height: HEIGHT,
        data: { node, chosen: node.table === chosen, status },
        ariaRole: 'link',
      };
    }),
    edges: graph.edges.map(([from, into]) => ({
      id: `${from} ${into}`,
      source: from!,
      target: into!,
      focusable: false,
      markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14 },
    })),
  };
}

export default function Dag({ graph, chosen, small = false }: { graph: Graph; chosen?: string; small?: boolean }) {
  const [, go] = useLocation();
  const { nodes, edges } = useMemo(() => place(graph, chosen), [graph, chosen]);
  if (nodes.length === 0) return <p className="empty">There is no table.</p>;
  return (
    <div
      className={`dag ${small ? 'dag-small' : ''}`}
      onKeyDown={(event) => {
        const id = event.key === 'Enter' ? (event.target as HTMLElement).closest<HTMLElement>('.react-flow__node')?.dataset.id : undefined;
        if (id) go(to.table(id));
      }}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES}
        fitView
        fitViewOptions={{ minZoom: 0.45, maxZoom: 1, padding: 0.08 }}
        minZoom={0.1}
        nodesDraggable={false}
        nodesConnectable={false}
        elementsSelectable
        onlyRenderVisibleElements={nodes.length > 150}
        preventScrolling={false}
        zoomOnScroll={false}
        onNodeClick={(_, node) => go(to.table(node.id))}
        aria-label="Tables and what reads what"
      >
        <Background gap={22} size={1} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}
