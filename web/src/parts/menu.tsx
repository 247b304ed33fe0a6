import * as Radix from '@radix-ui/react-dropdown-menu';
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons';

type Item = { name: string; icon: IconName; act: () => void };

export function Menu({ label, items, children }: { label: string; items: Item[]; children?: ReactNode }) {
  return (
    // Not modal: a modal one writes a style element, which the policy of the daemon refuses.
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>
        <button type="button" className={children ? 'quiet' : 'quiet icon-button'} aria-label={label}>
          {children ?? <Icon name="more" />}
        </button>
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
          {items.map((item) => (
            <Radix.Item key={item.name} className="menu-item" onSelect={item.act}>
              <Icon name={item.icon} size={14} /> {item.name}
            </Radix.Item>
          ))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
