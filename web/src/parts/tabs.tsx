// Tabs whose choice stands in the address, so that a link leads to it.
import * as Radix from '@radix-ui/react-tabs';
import { Suspense, type ReactNode } from 'react';
import { useParameter } from './address';

export type Tab = { id: string; name: ReactNode; content: () => ReactNode };

export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  const [chosen, choose] = useParameter('tab');
  const active = tabs.find((tab) => tab.id === chosen) ?? tabs[0]!;
  return (
    <Radix.Root value={active.id} onValueChange={(id) => choose(id === tabs[0]!.id ? null : id)} className="tabs">
      <Radix.List aria-label={label} className="tab-list">
        {tabs.map((tab) => (
          <Radix.Trigger key={tab.id} value={tab.id} className="tab">
            {tab.name}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.id} value={tab.id} className="tab-content">
          <Suspense fallback={<p className="loading">Loading …</p>}>{tab.id === active.id && tab.content()}</Suspense>
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
